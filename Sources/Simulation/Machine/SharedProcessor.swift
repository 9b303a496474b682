internal import Synchronization
internal import VoiceCore

/// Processors that everybody computes on at the same time, each a little slower the more there are.
///
/// Threads that are more than the cores share them evenly, as an operating system's do, and as processes do that know nothing
/// of each other on one GPU.
final class SharedProcessor: Sendable {
    private struct Job {
        var threads: Int
        /// What is left of it, in nanoseconds with a core for each thread.
        var left: Double
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var jobs: [Job] = []
        /// Until when the jobs' work is accounted for.
        var settled: Duration = .zero
        var alarm: Int?
        var busy = 0.0
    }

    private let time: VirtualTime
    private let cores: Int
    private let state = Mutex(State())

    init(cores: Int, time: VirtualTime) {
        self.cores = cores
        self.time = time
    }

    /// The time that cores were computing, together.
    var busy: Duration { .nanoseconds(Int64(state.withLock { $0.busy })) }

    /// Computes what takes `work` with a core for each thread.
    func compute(_ work: Duration, threads: Int = 1) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                settle(&state)
                let job = Job(threads: threads, left: work / .nanoseconds(1), continuation: continuation)
                state.jobs.append(job)
                setAlarm(&state)
            }
        }
    }

    private func rate(_ state: State) -> Double {
        min(1, Double(cores) / Double(max(1, state.jobs.reduce(0) { $0 + $1.threads })))
    }

    private func settle(_ state: inout State) {
        let now = time.now
        let elapsed = (now - state.settled) / .nanoseconds(1) * rate(state)
        state.settled = now
        for index in state.jobs.indices {
            state.jobs[index].left -= elapsed
            state.busy += elapsed * Double(state.jobs[index].threads)
        }
    }

    private func setAlarm(_ state: inout State) {
        if let alarm = state.alarm { time.forget(alarm) }
        state.alarm = nil
        guard let least = state.jobs.map(\.left).min() else { return }
        let wait = Duration.nanoseconds(Int64((max(0, least) / rate(state)).rounded(.up)))
        state.alarm = time.call(at: time.now + wait) { [self] in finish() }
    }

    private func finish() {
        let finished = state.withLock { state in
            settle(&state)
            // Less than the clock's grain is nothing.
            let finished = state.jobs.filter { $0.left < 1 }
            state.jobs.removeAll { $0.left < 1 }
            state.alarm = nil
            setAlarm(&state)
            return finished
        }
        for job in finished { job.continuation.resume() }
    }
}
