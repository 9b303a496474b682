internal import Synchronization
package import VoiceCore

/// A language model, and another one that answers where the first cannot.
///
/// A reply that fails before its first word is asked of the second model. One that has begun is finished by it, where it goes on with
/// messages (``VoiceCore/LanguageModel/continuesMessages``), and fails otherwise, for what was said cannot be taken back. After a failure the
/// second one is asked at once for a while, so that a person does not wait for time-outs in every turn.
package struct FallbackLanguageModel: LanguageModel {
    /// The first model's name.
    package var name: String { first.name }
    /// What both can hold.
    package var contextLength: Int { min(first.contextLength, second.contextLength) }
    /// Whether the first one does.
    package var judgesCompleteness: Bool { first.judgesCompleteness }

    private let first: any LanguageModel
    private let second: any LanguageModel
    private let state: FallbackState

    /// Joins two models.
    /// - Parameters:
    ///   - pause: how long the first one is left alone after a failure.
    ///   - clock: for the pause.
    ///   - report: told of each failure that the second model answered for.
    package init(
        _ first: any LanguageModel,
        else second: any LanguageModel,
        pause: Duration = .seconds(10),
        clock: any SessionClock = SystemClock(),
        report: @escaping @Sendable (VoiceError) -> Void = { _ in }
    ) {
        self.first = first
        self.second = second
        state = FallbackState(pause: pause, clock: clock, report: report)
    }

    /// Opens a chat with both.
    package func openChat() async throws(VoiceError) -> any Chat {
        let chats = (try await first.openChat(), try await second.openChat())
        return FallbackChat(chats.0, else: chats.1, continues: second.continuesMessages, state)
    }
}

/// When the first model failed last.
final class FallbackState: Sendable {
    private let pause: Duration
    private let clock: any SessionClock
    private let report: @Sendable (VoiceError) -> Void
    private let rest = Mutex<Duration?>(nil)

    init(pause: Duration, clock: any SessionClock, report: @escaping @Sendable (VoiceError) -> Void) {
        self.pause = pause
        self.clock = clock
        self.report = report
    }

    /// Whether the first model is left alone now.
    var isResting: Bool { rest.withLock { $0 }.map { clock.now < $0 } ?? false }

    func failed(_ error: VoiceError) {
        rest.withLock { $0 = clock.now + pause }
        report(error)
    }
}

private final class FallbackChat: Chat {
    private let first: any Chat
    private let second: any Chat
    private let continues: Bool
    private let state: FallbackState

    /// - Parameter continues: whether the second one goes on with messages.
    init(_ first: any Chat, else second: any Chat, continues: Bool, _ state: FallbackState) {
        self.first = first
        self.second = second
        self.continues = continues
        self.state = state
    }

    @discardableResult
    func prefill(
        _ messages: [ChatMessage],
        options: ChatOptions,
        urgency: Urgency?
    ) async throws(VoiceError) -> ReplyUsage {
        try await (state.isResting ? second : first).prefill(messages, options: options, urgency: urgency)
    }

    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        options: ChatOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        let (second, continues) = (second, continues)
        guard !state.isResting else {
            return second.reply(to: messages, sampling: sampling, options: options, urgency: urgency)
        }
        let reply = FallbackReply(
            first.reply(to: messages, sampling: sampling, options: options, urgency: urgency),
            else: { begun in
                guard !begun.text.isEmpty else {
                    return second.reply(to: messages, sampling: sampling, options: options, urgency: urgency)
                }
                guard continues else { return nil }
                var wanted = options
                wanted.continuesLastMessage = true
                return second.reply(
                    to: messages + [ChatMessage(.assistant, begun.text)],
                    sampling: sampling.rest(after: begun.pieces),
                    options: wanted,
                    urgency: urgency
                )
            },
            state
        )
        return AsyncThrowingStream { try await reply.next() }
    }
}

/// A reply of the first model until it fails, then of the second.
private actor FallbackReply {
    typealias Events = AsyncThrowingStream<ReplyEvent, any Error>

    /// What was said.
    struct Begun: Sendable {
        var text = ""
        var pieces = 0
    }

    private var events: Events.AsyncIterator
    private var begun = Begun()
    private var other: (@Sendable (Begun) -> Events?)?
    private let state: FallbackState

    /// - Parameter other: asks the second model for the rest; nil if it has none.
    init(_ events: Events, else other: @escaping @Sendable (Begun) -> Events?, _ state: FallbackState) {
        self.events = events.makeAsyncIterator()
        self.other = other
        self.state = state
    }

    func next() async throws -> ReplyEvent? {
        do {
            let event = try await pull()
            switch event {
            case .text(let piece):
                begun.text += piece
                begun.pieces += 1
            // Calls come at the end, and are made once.
            case .toolCall, .malformedCall, .finished, nil: other = nil
            // That it takes longer is no beginning, and neither is what it thinks.
            case .delayed, .completeness, .reasoning: break
            }
            return event
        } catch {
            let failure = VoiceError.wrapping(error, doing: "the language model failed")
            guard !Task.isCancelled, failure.code != .cancelled, failure.code != .usage, let rest = other?(begun) else {
                throw error
            }
            other = nil
            state.failed(failure)
            events = rest.makeAsyncIterator()
            return try await pull()
        }
    }

    private func pull() async throws -> ReplyEvent? {
        var iterator = events
        let event = try await iterator.next(isolation: self)
        events = iterator
        return event
    }
}
