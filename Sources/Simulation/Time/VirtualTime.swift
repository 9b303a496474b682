internal import Synchronization
package import VoiceCore

/// Time that jumps from one event to the next, and the only thread of all that lives in it.
///
/// It is clock and executor at once: tasks run one after the other, in the order in which they became ready, and the clock
/// moves only when none is ready, to the time that the next one sleeps until. The same program therefore does the same
/// every time, however many tasks it has, and a second of it takes as long as its events.
package final class VirtualTime: SessionClock, TaskExecutor {
    private enum Due {
        case sleeper(CheckedContinuation<Bool, Never>)
        case call(@Sendable () -> Void)
    }

    private enum Event {
        case job(UnownedJob)
        case due(Due)
    }

    private struct State {
        var now: Duration = .zero
        /// Jobs that are ready; those before `first` have run.
        var ready: [UnownedJob] = []
        var first = 0
        var agenda = Agenda()
        /// What is to happen; what was called off is gone from here, not from the agenda.
        var due: [Int: Due] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    private init() {}

    /// Runs a program in a time of its own that begins at zero, on the calling thread, which it blocks.
    /// - Throws: ``VoiceCore/VoiceError/Code/fault`` when the program waits for what never happens.
    package static func run<Result: Sendable>(
        _ body: @escaping @Sendable (VirtualTime) async -> Result
    ) throws(VoiceError) -> Result {
        let time = VirtualTime()
        let outcome = Outcome<Result>()
        // The root of all tasks of this time; it has ended when no event is left.
        Task(executorPreference: time) { outcome.value = await body(time) }
        while let event = time.next() {
            switch event {
            case .job(let job): unsafe job.runSynchronously(on: time.asUnownedTaskExecutor())
            case .due(.sleeper(let continuation)): continuation.resume(returning: true)
            case .due(.call(let call)): call()
            }
        }
        guard let value = outcome.value else {
            throw VoiceError(.fault, "All tasks of a simulation wait for each other.")
        }
        return value
    }

    /// Where the clock stands.
    package var now: Duration { state.withLock { $0.now } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.ready.append(job) }
    }

    package func sleep(until deadline: Duration) async throws {
        let number = takeNumber()
        let hasSlept = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    if deadline <= state.now { return true }
                    state.due[number] = .sleeper(continuation)
                    state.agenda.insert(number, at: deadline)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            if case .sleeper(let continuation) = callOff(number) { continuation.resume(returning: false) }
        }
        if !hasSlept { throw CancellationError() }
    }

    /// Suspends for so long, whether or not the task is cancelled: for work that cannot be stopped.
    func pass(_ duration: Duration) async {
        await withCheckedContinuation { continuation in call(at: now + duration) { continuation.resume() } }
    }

    /// Has something done at a time, or at once if that has passed.
    /// - Returns: its number, for ``callOff(_:)``.
    @discardableResult
    func call(at time: Duration, _ body: @escaping @Sendable () -> Void) -> Int {
        let number = takeNumber()
        state.withLock { state in
            state.due[number] = .call(body)
            state.agenda.insert(number, at: max(time, state.now))
        }
        return number
    }

    /// Forgets what was to be done.
    func forget(_ number: Int) { _ = callOff(number) }

    private func callOff(_ number: Int) -> Due? { state.withLock { $0.due.removeValue(forKey: number) } }

    private func takeNumber() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    /// What happens next; the clock is then at its time.
    private func next() -> Event? {
        state.withLock { state in
            if state.first < state.ready.count {
                state.first += 1
                return .job(state.ready[state.first - 1])
            }
            state.ready.removeAll(keepingCapacity: true)
            state.first = 0
            while let (number, time) = state.agenda.next() {
                guard let due = state.due.removeValue(forKey: number) else { continue }
                state.now = time
                return .due(due)
            }
            return nil
        }
    }
}

/// What a program gave.
private final class Outcome<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)

    var value: Value? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
