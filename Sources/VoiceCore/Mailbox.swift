internal import Synchronization

/// A bounded queue from any number of senders to one receiver.
///
/// Sending never suspends. What happens when the queue is full is chosen at the start and counted. From a message's
/// arrival at a waiting receiver until that waits again, the session's clock knows that there is work, so that simulated
/// time stands still.
public final class Mailbox<Message: Sendable>: Sendable {
    /// What a full mailbox gives up.
    public enum Overflow: Sendable {
        /// The message that has waited longest.
        case dropOldest
        /// The message being sent.
        case refuseNewest
    }

    private enum Outcome { case message(Message), end, wait }

    private struct State {
        var queue: [Message] = []
        var receiver: CheckedContinuation<Message?, Never>?
        var isFinished = false
        var dropped = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let overflow: Overflow
    private let clock: any SessionClock

    /// Makes a mailbox that holds at most `capacity` messages.
    public init(capacity: Int, overflow: Overflow, clock: any SessionClock) {
        precondition(capacity > 0, "a mailbox holds at least one message")
        self.capacity = capacity
        self.overflow = overflow
        self.clock = clock
    }

    /// Messages given up because the mailbox was full.
    public var dropped: Int { state.withLock { $0.dropped } }

    /// Leaves a message for the receiver.
    ///
    /// - Returns: false if the mailbox is finished, or was full and refused this message.
    @discardableResult
    public func send(_ message: Message) -> Bool {
        let (receiver, accepted) = state.withLock { state -> (CheckedContinuation<Message?, Never>?, Bool) in
            if state.isFinished { return (nil, false) }
            if let receiver = state.receiver {
                state.receiver = nil
                return (receiver, true)
            }
            if state.queue.count >= capacity {
                state.dropped += 1
                guard overflow == .dropOldest else { return (nil, false) }
                state.queue.removeFirst()
            }
            state.queue.append(message)
            return (nil, true)
        }
        guard let receiver else { return accepted }
        clock.workBegan()
        receiver.resume(returning: message)
        return true
    }

    /// Ends the mailbox: messages already there are still received, later ones are refused.
    public func finish() {
        let receiver = state.withLock { state -> CheckedContinuation<Message?, Never>? in
            state.isFinished = true
            defer { state.receiver = nil }
            return state.receiver
        }
        guard let receiver else { return }
        clock.workBegan()
        receiver.resume(returning: nil)
    }

    /// Waits for the next message; nil once the mailbox is finished and empty, or the task is cancelled.
    ///
    /// One task at a time. Counts as the end of the work on the previous message.
    public func next() async -> Message? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Outcome in
                    precondition(state.receiver == nil, "a mailbox has one receiver")
                    if Task.isCancelled { return .end }
                    if !state.queue.isEmpty { return .message(state.queue.removeFirst()) }
                    if state.isFinished { return .end }
                    state.receiver = continuation
                    return .wait
                }
                switch outcome {
                case .message(let message):
                    continuation.resume(returning: message)
                case .end:
                    continuation.resume(returning: nil)
                case .wait:
                    clock.workEnded()
                }
            }
        } onCancel: {
            let receiver = state.withLock { state -> CheckedContinuation<Message?, Never>? in
                defer { state.receiver = nil }
                return state.receiver
            }
            guard let receiver else { return }
            clock.workBegan()
            receiver.resume(returning: nil)
        }
    }
}
