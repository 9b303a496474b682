internal import Synchronization
internal import VoiceCore

/// A person who types and reads: nothing is spoken or heard.
final class TypedLine: QuestionLine {
    private enum Turn { case none, asked, answered(Int) }

    let playoutRate = SampleRate.speech
    let events: AsyncStream<TransportEvent>
    private let clock: any SessionClock
    private let inbox: Mailbox<LineEvent>
    private let outbox: Mailbox<TransportEvent>
    private let turn = Mutex(Turn.none)

    init(inbox: Mailbox<LineEvent>, clock: any SessionClock) {
        let outbox = Mailbox<TransportEvent>(capacity: 16, overflow: .refuseNewest, clock: clock)
        self.inbox = inbox
        self.outbox = outbox
        self.clock = clock
        let hasBegun = Mutex(false)
        events = AsyncStream {
            let isFirst = hasBegun.withLock { hasBegun in
                defer { hasBegun = true }
                return !hasBegun
            }
            if isFirst { inbox.send(.began) }
            return await outbox.next()
        }
    }

    func ask(_ text: String) async throws(VoiceError) {
        turn.withLock { $0 = .asked }
        outbox.send(.typed(TypedMessage(text: text, isSpoken: false)))
    }

    func giveUp() { outbox.send(.interrupt) }

    func hangUp() { outbox.finish() }

    /// Hands on the news of the turn that was asked last; what comes late of an earlier one is nobody's.
    func send(_ message: TransportMessage) async throws(VoiceError) {
        guard case .event(let event) = message else { return }
        let (isOurs, isLast) = turn.withLock { turn -> (Bool, Bool) in
            if case .asked = turn, case .userTranscript(let number, _, true) = event { turn = .answered(number) }
            guard case .answered(let number) = turn else { return (false, false) }
            let isLast = event.closes(number)
            if isLast { turn = .none }
            return (event.turn.map { $0 == number } ?? true, isLast)
        }
        if isOurs { inbox.send(.news(event, at: clock.now)) }
        if isLast { inbox.send(.settled(at: clock.now)) }
    }
}

extension SessionEvent {
    /// The turn that it belongs to; nil for all.
    fileprivate var turn: Int? {
        switch self {
        case .userTranscript(let turn, _, _), .agentTranscript(let turn, _, _, _, _), .reply(let turn, _),
            .turnDropped(let turn, _):
            turn
        case .turnReport(let report): report.turn
        case .userSpeaking, .agentSpeaking, .job, .handedOver, .error: nil
        }
    }

    /// Whether it is the last news of a turn.
    fileprivate func closes(_ turn: Int) -> Bool {
        switch self {
        case .turnReport(let report): report.turn == turn
        case .turnDropped(let dropped, _): dropped == turn
        default: false
        }
    }
}
