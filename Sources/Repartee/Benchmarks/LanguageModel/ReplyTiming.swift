internal import VoiceCore

/// One reply of a language model, timed.
struct ReplyTiming: Sendable {
    var usage = ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
    /// When each piece of text came, since the start.
    var moments: [Duration] = []
    var text = ""

    /// Milliseconds from the start to the first text.
    var firstToken: Double { (moments.first ?? .zero).milliseconds }
    /// Milliseconds from each piece of text to the next.
    var perToken: [Double] { zip(moments.dropFirst(), moments).map { ($0 - $1).milliseconds } }

    /// Has a chat reply, always with the most probable token.
    /// - Parameter start: what times are counted from; nil for the question.
    init(_ chat: any Chat, _ messages: [ChatMessage], tokens: Int, since start: Duration? = nil) async throws {
        var sampling = SamplingOptions(temperature: 0)
        sampling.maxTokens = tokens
        let clock = SystemClock()
        let start = start ?? clock.now
        for try await event in chat.reply(to: messages, sampling: sampling) {
            switch event {
            case .text(let piece):
                moments.append(clock.now - start)
                text += piece
            case .reasoning, .toolCall, .malformedCall, .delayed, .completeness: break
            case .finished(let counts, _): usage = counts
            }
        }
    }
}
