internal import VoiceCore

/// A language model that answers nothing: what comes after an interruption is not measured.
struct SilentModel: LanguageModel {
    let name = "none"
    let contextLength = 1 << 20

    func openChat() async throws(VoiceError) -> any Chat { SilentChat() }

    private struct SilentChat: Chat {
        private static let usage = ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)

        func prefill(
            _ messages: [ChatMessage],
            options: ChatOptions,
            urgency: Urgency?
        ) async throws(VoiceError) -> ReplyUsage { Self.usage }

        func reply(
            to messages: [ChatMessage],
            sampling: SamplingOptions,
            options: ChatOptions,
            urgency: Urgency?
        ) -> AsyncThrowingStream<ReplyEvent, any Error> {
            AsyncThrowingStream { continuation in
                continuation.yield(.finished(Self.usage, truncated: false))
                continuation.finish()
            }
        }
    }
}
