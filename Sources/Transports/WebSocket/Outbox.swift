internal import NIOCore
internal import Synchronization
internal import VoiceCore

/// The way from a session to the event loop: an ``OutboundQueue`` that any task fills and the loop empties.
final class Outbox: Sendable {
    /// What became of a frame.
    enum Outcome: Equatable {
        /// It waits. `mustWake` tells that the loop does not know yet; `dropped` is the audio given up.
        case queued(mustWake: Bool, dropped: Duration)
        /// The connection is closing.
        case closed
        /// Too much waits.
        case full
    }

    private struct State {
        var queue: OutboundQueue
        var isLoopAwake = false
        var isClosed = false
        /// Whoever waits for room.
        var sender: CheckedContinuation<Void, Never>?

        /// The sender that need not wait any more.
        mutating func takeSender() -> CheckedContinuation<Void, Never>? {
            guard isClosed || queue.hasRoom else { return nil }
            defer { sender = nil }
            return sender
        }
    }

    private let state: Mutex<State>

    init(limits: WebSocketLimits) { state = Mutex(State(queue: OutboundQueue(limits: limits))) }

    func push(_ item: OutboundQueue.Item, at now: Duration) -> Outcome {
        state.withLock { state in
            guard !state.isClosed else { return .closed }
            guard let dropped = state.queue.push(item, at: now) else { return .full }
            defer { state.isLoopAwake = true }
            return .queued(mustWake: !state.isLoopAwake, dropped: dropped)
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    @discardableResult
    func cut(epoch: Int) -> Duration { change { $0.queue.cut(epoch: epoch) } }

    @discardableResult
    func pause(epoch: Int) -> Duration { change { $0.queue.pause(epoch: epoch) } }

    /// Waits until more audio is welcome, the connection closes or the task is cancelled. One task at a time.
    func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state -> Bool in
                    guard !state.isClosed, !state.queue.hasRoom, !Task.isCancelled else { return false }
                    precondition(state.sender == nil, "one task waits for room")
                    state.sender = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            let sender = state.withLock { state -> CheckedContinuation<Void, Never>? in
                defer { state.sender = nil }
                return state.sender
            }
            sender?.resume()
        }
    }

    /// Refuses further frames; `last` go out after the text that waits.
    func close(with last: [OutboundQueue.Item], at now: Duration) {
        change { state in
            state.isClosed = true
            state.queue.finish(with: last, at: now)
        }
    }

    /// The next frame to be written; with nil the loop goes to sleep.
    func pop() -> OutboundQueue.Item? {
        change { state in
            let item = state.queue.pop()
            state.isLoopAwake = item != nil
            return item
        }
    }

    func written(_ cost: Int, at now: Duration) { state.withLock { $0.queue.written(cost, at: now) } }

    func isStalled(at now: Duration) -> Bool { state.withLock { $0.queue.isStalled(at: now) } }

    /// Does something that may make room.
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, sender) = state.withLock { state -> (Result, CheckedContinuation<Void, Never>?) in
            let result = body(&state)
            return (result, state.takeSender())
        }
        sender?.resume()
        return result
    }
}
