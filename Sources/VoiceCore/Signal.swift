internal import Synchronization

/// Wakes one waiting task. Raised while nobody waits, it is remembered once.
///
/// Unlike a message in a ``Mailbox``, a remembered signal is no work: simulated time may pass over it.
public final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let clock: any SessionClock

    /// Makes a signal that is not raised.
    public init(clock: any SessionClock) { self.clock = clock }

    /// Wakes the waiting task, or the next one that waits.
    public func raise() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isRaised = state.waiter == nil
            defer { state.waiter = nil }
            return state.waiter
        }
        wake(waiter)
    }

    /// Waits until the signal is raised, and lowers it. Returns at once when the task is cancelled.
    public func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state -> Bool in
                    precondition(state.waiter == nil, "a signal has one waiter")
                    if state.isRaised || Task.isCancelled {
                        state.isRaised = false
                        return false
                    }
                    state.waiter = continuation
                    return true
                }
                if mustWait { clock.workEnded() } else { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                defer { state.waiter = nil }
                return state.waiter
            }
            wake(waiter)
        }
    }

    private func wake(_ waiter: CheckedContinuation<Void, Never>?) {
        guard let waiter else { return }
        clock.workBegan()
        waiter.resume()
    }
}
