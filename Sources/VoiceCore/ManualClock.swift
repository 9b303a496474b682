internal import Synchronization

/// A clock that only moves when told to.
///
/// `advance(by:)` wakes sleepers in the order of their deadlines. With `isSelfDriving` it also moves on its own, to the
/// next deadline, whenever no task of the session has work to do: a conversation of minutes then runs in milliseconds,
/// with the same result every time.
public final class ManualClock: SessionClock {
    private struct Sleeper {
        var id: Int
        var deadline: Duration
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var now: Duration = .zero
        var sleepers: [Sleeper] = []
        var cancelled: Set<Int> = []
        var nextID = 0
        var work = 0
    }

    private let state = Mutex(State())
    private let isSelfDriving: Bool

    /// Makes a clock that stands at zero.
    public init(isSelfDriving: Bool = false) { self.isSelfDriving = isSelfDriving }

    /// The time it was moved to.
    public var now: Duration { state.withLock { $0.now } }

    /// How many tasks sleep at the moment.
    public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Suspends until the clock was moved to `deadline`.
    public func sleep(until deadline: Duration) async throws {
        let id = state.withLock { state -> Int in
            state.nextID += 1
            return state.nextID
        }
        let completed = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    if state.cancelled.remove(id) != nil || Task.isCancelled { return false }
                    if deadline <= state.now { return true }
                    state.sleepers.append(Sleeper(id: id, deadline: deadline, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) } else { workEnded() }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            guard let sleeper else { return }
            workBegan()
            sleeper.continuation.resume(returning: false)
        }
        state.withLock { _ = $0.cancelled.remove(id) }
        if !completed { throw CancellationError() }
    }

    /// Moves the clock and wakes whoever is due.
    public func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            return Self.takeDue(&state)
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
    }

    /// See ``SessionClock/workBegan()``.
    public func workBegan() { state.withLock { $0.work += 1 } }

    /// See ``SessionClock/workEnded()``.
    public func workEnded() {
        let due = state.withLock { state -> [Sleeper] in
            state.work -= 1
            guard isSelfDriving, state.work == 0, let next = state.sleepers.map(\.deadline).min() else { return [] }
            state.now = max(state.now, next)
            return Self.takeDue(&state)
        }
        for sleeper in due { sleeper.continuation.resume(returning: true) }
    }

    /// Removes the sleepers whose time has come, earliest first; each leaves with one unit of work.
    private static func takeDue(_ state: inout State) -> [Sleeper] {
        let due = state.sleepers.filter { $0.deadline <= state.now }.sorted {
            ($0.deadline, $0.id) < ($1.deadline, $1.id)
        }
        state.sleepers.removeAll { $0.deadline <= state.now }
        state.work += due.count
        return due
    }
}
