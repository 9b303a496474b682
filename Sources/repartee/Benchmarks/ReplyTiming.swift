internal import VoiceCore

/// One reply of a language model, timed.
struct ReplyTiming: Sendable {
    var usage = ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
    /// Milliseconds from the question to the first text.
    var firstToken = 0.0
    /// Milliseconds from each piece of text to the next.
    var perToken: [Double] = []
    /// Milliseconds from the question to the end.
    var total = 0.0
    var text = ""

    /// Has a chat reply, always with the most probable token.
    init(_ chat: any Chat, _ messages: [ChatMessage], tokens: Int) async throws {
        var sampling = SamplingOptions(temperature: 0)
        sampling.maxTokens = tokens
        let clock = SystemClock()
        let start = clock.now
        var moments: [Duration] = []
        for try await event in chat.reply(to: messages, sampling: sampling) {
            switch event {
            case .text(let piece):
                moments.append(clock.now)
                text += piece
            case .reasoning, .toolCall, .malformedCall: break
            case .finished(let counts, _): usage = counts
            }
        }
        total = (clock.now - start).milliseconds
        firstToken = ((moments.first ?? clock.now) - start).milliseconds
        perToken = zip(moments.dropFirst(), moments).map { ($0 - $1).milliseconds }
    }
}
