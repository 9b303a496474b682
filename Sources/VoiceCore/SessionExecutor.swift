/// Runs a session's tasks, and wakes them when their time has come: a thread that has both to do needs no other for either.
public protocol SessionExecutor: TaskExecutor {
    /// Suspends for so long; not at all for less than nothing.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    func sleep(for duration: Duration) async throws
}

/// A clock's time, with an executor to sleep on.
struct ExecutorClock<Base: SessionClock>: SessionClock {
    let base: Base
    let executor: any SessionExecutor

    var now: Duration { base.now }

    func sleep(until deadline: Duration) async throws { try await executor.sleep(for: deadline - now) }
}
