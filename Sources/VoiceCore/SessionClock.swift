/// The time a session lives in: real, or driven by hand in tests.
///
/// Instants are durations since an arbitrary but fixed start, so that they can be stored, compared and subtracted
/// without generic parameters. Nothing in this package asks the system for the time in any other way.
public protocol SessionClock: Sendable {
    /// The time since the clock's start. Never runs backwards.
    var now: Duration { get }
    /// Suspends until `now` is at least `deadline`.
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    func sleep(until deadline: Duration) async throws
    /// The same time for tasks on an executor, if that can tell when it has come.
    func on(_ executor: any SessionExecutor) -> any SessionClock
    /// Tells the clock that a task has something to do; time driven by a program must not move meanwhile.
    ///
    /// Balanced by ``workEnded()``. Waiting on a ``Mailbox`` or in ``sleep(until:)`` counts as having nothing to do.
    /// Real clocks ignore both.
    func workBegan()
    /// Tells the clock that a task has nothing to do any more.
    func workEnded()
}

extension SessionClock {
    /// The clock itself: only it knows its time.
    public func on(_ executor: any SessionExecutor) -> any SessionClock { self }
    /// Does nothing: real time passes anyway.
    public func workBegan() {}
    /// Does nothing: real time passes anyway.
    public func workEnded() {}
}

/// Real time, from the system's continuous clock.
public struct SystemClock: SessionClock {
    private let start: ContinuousClock.Instant

    /// Makes a clock that starts now.
    public init() { start = ContinuousClock.now }

    /// The time since the clock was made.
    public var now: Duration { ContinuousClock.now - start }

    /// A clock with the executor's timers.
    public func on(_ executor: any SessionExecutor) -> any SessionClock {
        ExecutorClock(base: self, executor: executor)
    }

    /// Suspends until `deadline`.
    public func sleep(until deadline: Duration) async throws {
        try await Task.sleep(until: start + deadline, tolerance: .milliseconds(1), clock: .continuous)
    }
}
