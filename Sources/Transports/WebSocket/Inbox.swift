internal import Synchronization
internal import VoiceCore

/// The way from the event loop to a session's `events`: an ``InboundQueue`` and its one waiting consumer.
final class Inbox: Sendable {
    private struct State {
        var queue: InboundQueue
        var consumer: CheckedContinuation<TransportEvent?, Never>?
        var isFinished = false
    }

    private let state: Mutex<State>

    init(limits: WebSocketLimits) { state = Mutex(State(queue: InboundQueue(limits: limits))) }

    /// Hands over an event; never blocks. Nil when too many messages wait, else the audio given up.
    func push(_ event: TransportEvent) -> Duration? {
        var consumer: CheckedContinuation<TransportEvent?, Never>?
        let dropped = state.withLock { state -> Duration? in
            if state.isFinished { return .zero }
            guard state.consumer != nil else { return state.queue.push(event) }
            swap(&consumer, &state.consumer)
            return .zero
        }
        consumer?.resume(returning: event)
        return dropped
    }

    /// Ends the stream after what has arrived.
    func finish() { end(discarding: false) }

    /// Ends the stream at once: the consumer was cancelled.
    func abandon() { end(discarding: true) }

    /// The next event; nil at the end.
    func next() async -> TransportEvent? {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state -> TransportEvent?? in
                if let event = state.queue.pop() { return .some(event) }
                if state.isFinished || state.consumer != nil { return .some(nil) }
                state.consumer = continuation
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }

    private func end(discarding: Bool) {
        var consumer: CheckedContinuation<TransportEvent?, Never>?
        state.withLock { state in
            state.isFinished = true
            if discarding { while state.queue.pop() != nil {} }
            swap(&consumer, &state.consumer)
        }
        consumer?.resume(returning: nil)
    }
}
