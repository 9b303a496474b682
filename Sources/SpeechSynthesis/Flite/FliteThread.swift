internal import Foundation
internal import Synchronization

/// The one thread on which libflite runs: its voices, lexicon and error handling are process-wide and unguarded.
///
/// A thread with a queue of its own rather than an actor on an `EngineExecutor`, because flite hands out audio from
/// inside one long call, and what an actor's method makes can only leave it when it returns. A job is one piece of text,
/// some 100 ms of work at most; a stream of speech has at most one job queued, so the streams bound the queue.
final class FliteThread: Sendable {
    /// Started on first use, for the life of the process.
    static let shared = FliteThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let arrival = NSCondition()

    private init() {
        let thread = Thread { self.run() }
        thread.name = "flite"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Queues a job; it runs after all those queued before.
    func submit(_ job: @escaping @Sendable () -> Void) {
        arrival.withLock {
            jobs.withLock { $0.append(job) }
            arrival.signal()
        }
    }

    private func run() {
        while true {
            let job = arrival.withLock {
                while jobs.withLock(\.isEmpty) { arrival.wait() }
                return jobs.withLock { $0.removeFirst() }
            }
            job()
        }
    }
}
