internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// The browser's protocol on a connection: a ``WebSocketMachine`` whose events go to a session's ``Inbox``.
final class BrowserDialogue: WebSocketDialogue {
    private let inbox: Inbox
    private let counters: TransportCounters
    private let greet: (BrowserProtocol.Hello?) -> Void
    private var machine: WebSocketMachine

    /// Audio that nobody takes is dropped, so a page is always read.
    let isReading = true

    /// - Parameter greet: is told the greeting, or that none will come. May be called more than once.
    init(
        inbox: Inbox,
        counters: TransportCounters,
        limits: WebSocketLimits,
        at now: Duration,
        greet: @escaping (BrowserProtocol.Hello?) -> Void
    ) {
        self.inbox = inbox
        self.counters = counters
        self.greet = greet
        machine = WebSocketMachine(limits: limits, at: now)
    }

    func receive(_ frame: WebSocketFrame, at now: Duration) -> WebSocketAction {
        perform(machine.receive(frame, at: now))
    }

    func receive(_ failure: NIOWebSocketError) -> WebSocketAction { perform(machine.receive(failure)) }

    func tick(at now: Duration) -> WebSocketAction { perform(machine.tick(at: now)) }

    func close(_ reason: CloseReason) -> WebSocketAction { perform(machine.close(reason)) }

    func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? {
        (try? BrowserProtocol.encode(.event(.error(code: failure.description, message: message))))
            .map { .init(opcode: .text, payload: $0) }
    }

    func end() {
        greet(nil)
        inbox.finish()
    }

    private func perform(_ action: WebSocketMachine.Action) -> WebSocketAction {
        switch action {
        case .perform(let action): return action
        case .begin(let hello): greet(hello)
        case .discard(let duration): counters.note(microphoneDropped: duration)
        case .deliver(let event):
            guard let dropped = inbox.push(event) else {
                return close(.policyViolation("more messages came than the conversation can take"))
            }
            if dropped > .zero { counters.note(microphoneDropped: dropped) }
        case .say(let message):
            if let payload = try? BrowserProtocol.encode(message) { return .say(payload) }
        }
        return .none
    }
}
