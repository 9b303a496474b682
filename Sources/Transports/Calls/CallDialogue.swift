internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// A ``CallMachine`` on a connection: what arrives goes to a session's ``Inbox``.
final class CallDialogue<Machine: CallMachine & ~Copyable>: WebSocketDialogue {
    private let inbox: Inbox
    private let counters: TransportCounters
    private let greet: (Machine.Greeting?) -> Void
    private var messages: MessageMachine
    private var machine: Machine
    private var allowance: AudioAllowance
    private var position = 0
    private var rate: SampleRate?

    /// Audio that nobody takes is dropped, so a peer is always read.
    let isReading = true

    /// - Parameter greet: is told when a conversation can begin, or that it never will. May be called more than once.
    init(
        _ machine: consuming Machine,
        inbox: Inbox,
        counters: TransportCounters,
        limits: WebSocketLimits,
        at now: Duration,
        greet: @escaping (Machine.Greeting?) -> Void
    ) {
        self.machine = machine
        self.inbox = inbox
        self.counters = counters
        self.greet = greet
        messages = MessageMachine(limits: limits, at: now)
        allowance = AudioAllowance(burst: limits.microphoneBurst, at: now)
    }

    func receive(_ frame: WebSocketFrame, at now: Duration) -> WebSocketAction {
        switch messages.receive(frame, at: now) {
        case .perform(let action): action
        case .deliver(let message): perform(machine.receive(message, at: now), now)
        }
    }

    func receive(_ failure: NIOWebSocketError) -> WebSocketAction { messages.receive(failure) }

    func tick(at now: Duration) -> WebSocketAction {
        guard !messages.isClosing else { return .none }
        return .all([perform(machine.tick(at: now), now), messages.tick(at: now)])
    }

    func close(_ reason: CloseReason) -> WebSocketAction { messages.close(reason) }

    func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? {
        machine.farewell(failure, message)
    }

    func end() {
        greet(nil)
        inbox.finish()
    }

    /// Tells the peer that the conversation has begun.
    func begin(at now: Duration) -> WebSocketAction {
        messages.isClosing ? .none : perform(machine.begin(), now)
    }

    /// Takes a message of the agent.
    func send(_ message: TransportMessage, at now: Duration) -> WebSocketAction {
        messages.isClosing ? .none : perform(machine.send(message, at: now), now)
    }

    private func perform(_ steps: [CallStep<Machine.Greeting>], _ now: Duration) -> WebSocketAction {
        var actions: [WebSocketAction] = []
        for step in steps {
            let action = perform(step, now)
            actions.append(action)
            if case .close = action { break }
        }
        return actions.count == 1 ? actions[0] : .all(actions)
    }

    private func perform(_ step: CallStep<Machine.Greeting>, _ now: Duration) -> WebSocketAction {
        switch step {
        case .greet(let greeting):
            greet(greeting)
            return .none
        case .deliver(let event): return deliver(event)
        case .hear(let samples, let rate): return hear(samples, rate, now)
        case .send(let item): return .send(item)
        case .cut(let epoch): return .cut(epoch: epoch)
        case .pause(let epoch): return .pause(epoch: epoch)
        case .close(let reason): return close(reason)
        }
    }

    private func hear(_ samples: [Float], _ rate: SampleRate, _ now: Duration) -> WebSocketAction {
        if rate != self.rate {
            self.rate = rate
            position = 0
        }
        let frame = AudioFrame(samples: samples, rate: rate, position: position)
        position += samples.count
        guard allowance.admits(frame.duration, at: now) else {
            counters.note(microphoneDropped: frame.duration)
            return .none
        }
        return deliver(.audio(frame))
    }

    private func deliver(_ event: TransportEvent) -> WebSocketAction {
        guard let dropped = inbox.push(event) else {
            return close(.policyViolation("more messages came than the conversation can take"))
        }
        if dropped > .zero { counters.note(microphoneDropped: dropped) }
        return .none
    }
}
