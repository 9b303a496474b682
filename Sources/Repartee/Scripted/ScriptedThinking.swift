internal import Synchronization
internal import VoiceCore

/// A language model that answers the same to everything, token by token.
struct ScriptedThinking: LanguageModel {
    /// What it answers: two sentences, some five seconds of speech.
    private static let answer =
        "That is a good question, and I like it. It depends on what you have in mind, so tell me a little more."
    private static let tokens = answer.split(separator: " ").enumerated().map { $0 == 0 ? String($1) : " " + $1 }

    let name = "scripted"
    let contextLength = 1 << 20
    let clock: any SessionClock
    let costs: ScriptedCosts

    func openChat() async throws(VoiceError) -> any Chat { ScriptedChat(model: self) }

    private struct ScriptedChat: Chat {
        let model: ScriptedThinking

        func prefill(
            _ messages: [ChatMessage],
            options: ChatOptions,
            urgency: Urgency?
        ) async throws(VoiceError) -> ReplyUsage {
            try options.requireNothing()
            return usage(of: messages, generated: 0)
        }

        func reply(
            to messages: [ChatMessage],
            sampling: SamplingOptions,
            options: ChatOptions,
            urgency: Urgency?
        ) -> AsyncThrowingStream<ReplyEvent, any Error> {
            let count = min(sampling.maxTokens, ScriptedThinking.tokens.count)
            let written = Mutex(0)
            return AsyncThrowingStream {
                try options.requireNothing()
                let index = written.withLock { written in
                    defer { written += 1 }
                    return written
                }
                guard index < count else {
                    guard index == count else { return nil }
                    return .finished(
                        usage(of: messages, generated: count),
                        truncated: count < ScriptedThinking.tokens.count
                    )
                }
                try await model.clock.wait(index == 0 ? model.costs.firstToken : model.costs.token)
                return .text(ScriptedThinking.tokens[index])
            }
        }

        /// All but the newest message was read before; four bytes are a token.
        private func usage(of messages: [ChatMessage], generated: Int) -> ReplyUsage {
            let lengths = messages.map { $0.content.utf8.count / 4 + 1 }
            let all = lengths.reduce(0, +)
            return ReplyUsage(promptTokens: all, cachedTokens: all - (lengths.last ?? 0), generatedTokens: generated)
        }
    }
}
