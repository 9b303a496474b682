internal import NIOCore
internal import Synchronization
internal import VoiceCore

/// Whole messages on their way from the event loop to one task, bounded by bytes: when it is full the socket is not read
/// any more, so that nothing accepted is ever lost and a fast peer is slowed down.
final class MessageInbox: Sendable {
    private struct State {
        var queue = FIFO<MessageConnection.Arrival>()
        var bytes = 0
        var consumer: CheckedContinuation<MessageConnection.Arrival?, Never>?
        var isFinished = false
    }

    /// What an empty message counts for, so that a flood of them is bounded too.
    private static let overhead = 64

    private let capacity: Int
    private let state = Mutex(State())

    /// Makes an inbox that is full from `capacity` bytes on.
    init(capacity: Int) { self.capacity = capacity }

    /// True when no more should be read. What has been read from the socket already still goes in.
    var isFull: Bool { state.withLock { $0.bytes >= capacity } }

    /// Hands over a message; never blocks.
    func push(_ message: MessageMachine.Message, at now: Duration) {
        let arrival = MessageConnection.Arrival(message: message, at: now)
        var consumer: CheckedContinuation<MessageConnection.Arrival?, Never>?
        state.withLock { state in
            guard !state.isFinished else { return }
            if state.consumer != nil { return swap(&consumer, &state.consumer) }
            state.queue.append(arrival)
            state.bytes += Self.cost(arrival)
        }
        consumer?.resume(returning: arrival)
    }

    /// Ends the stream after what has arrived.
    func finish() {
        var consumer: CheckedContinuation<MessageConnection.Arrival?, Never>?
        state.withLock { state in
            state.isFinished = true
            swap(&consumer, &state.consumer)
        }
        consumer?.resume(returning: nil)
    }

    /// The next message, and whether the socket may be read again because of it; nil at the end or when the task is
    /// cancelled. One task calls it.
    func next() async -> (arrival: MessageConnection.Arrival, hasRoomAgain: Bool)? {
        let taken = state.withLock { state -> (MessageConnection.Arrival, Bool)? in
            guard !Task.isCancelled, let arrival = state.queue.removeFirst() else { return nil }
            let wasFull = state.bytes >= capacity
            state.bytes -= Self.cost(arrival)
            return (arrival, wasFull && state.bytes < capacity)
        }
        if let taken { return taken }
        let arrival = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<MessageConnection.Arrival?, Never>) in
                let mustWait = state.withLock { state in
                    guard !state.isFinished, !Task.isCancelled, state.queue.count == 0 else { return false }
                    precondition(state.consumer == nil, "an inbox has one consumer")
                    state.consumer = continuation
                    return true
                }
                if !mustWait { continuation.resume(returning: nil) }
            }
        } onCancel: {
            finish()
        }
        if let arrival { return (arrival, false) }
        // A message came between the two looks, or the end.
        return state.withLock({ $0.queue.count > 0 }) && !Task.isCancelled ? await next() : nil
    }

    /// Takes everything that waits.
    func drain() -> [MessageConnection.Arrival] {
        state.withLock { state in
            var rest: [MessageConnection.Arrival] = []
            while let arrival = state.queue.removeFirst() { rest.append(arrival) }
            state.bytes = 0
            return rest
        }
    }

    private static func cost(_ arrival: MessageConnection.Arrival) -> Int {
        switch arrival.message {
        case .text(let bytes), .binary(let bytes): bytes.readableBytes + overhead
        }
    }
}
