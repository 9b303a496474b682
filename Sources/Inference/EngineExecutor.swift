internal import CLlama
internal import Foundation
internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// One thread outside Swift's cooperative pool, for actors whose calls block: engines on the CPU compute for
/// milliseconds at a time, and the cooperative pool has only as many threads as the machine has cores.
///
///     package actor Detector {
///         private let executor: EngineExecutor
///         nonisolated package var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
///     }
///
/// Several actors may share one executor; they then take turns, first come first served, one actor call at a time.
/// The queue holds at most one entry per task that waits for such an actor, so whoever bounds the tasks bounds it.
/// The thread ends when the last actor is gone.
package final class EngineExecutor: SerialExecutor {
    private static let processors = ProcessInfo.processInfo.activeProcessorCount
    /// Executors of this process that run a job at the moment.
    private static let running = Atomic(0)

    /// Processors that the job that asks may compute on, its own included, without getting in the way of other executors' jobs or,
    /// where that can be known, of other threads and programs; at least 1. Threads that compute one graph wait for each other some
    /// hundred times, so one that has to share its processor holds up all of them: fewer are faster then.
    static var freeProcessors: Int {
        let busy = max(running.load(ordering: .relaxed), RunnableThreads.ofMachine?.count ?? 0)
        return max(1, processors - max(0, busy - 1))
    }

    fileprivate static func run(_ entry: borrowing Mailbox.Entry) {
        running.add(1, ordering: .relaxed)
        defer { running.subtract(1, ordering: .relaxed) }
        entry.job.runSynchronously(on: entry.executor.asUnownedSerialExecutor())
    }

    /// The thread's name, as in `top -H`; the system shows its first 15 bytes.
    package let name: String
    private let mailbox = Mailbox()

    /// Starts the thread.
    package init(name: String) {
        self.name = name
        let start = ThreadStart(name: name, mailbox: mailbox)
        start.launch()
    }

    deinit {
        // Nothing can be waiting: every entry of the queue keeps this executor alive.
        mailbox.close()
    }

    /// Runs `body` on the thread, in turn with the actors' calls, and waits for it without blocking the caller's thread:
    /// for work that belongs to no actor yet, such as loading a model.
    package func run<Result, Failure: Error>(
        _ body: @Sendable () throws(Failure) -> sending Result
    ) async throws(Failure) -> sending Result {
        try await Visitor(executor: self).run(body)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        mailbox.append(Mailbox.Entry(job: UnownedJob(job), executor: self))
    }

    package func isIsolatingCurrentContext() -> Bool? { mailbox.isCurrentThread }
}

/// An actor without state, for ``EngineExecutor/run(_:)``.
private actor Visitor {
    private let executor: EngineExecutor

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(executor: EngineExecutor) {
        self.executor = executor
    }

    func run<Result, Failure: Error>(
        _ body: @Sendable () throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try body()
    }
}

/// The queue between those who enqueue and the thread.
///
/// `@unchecked Sendable`: `entries`, `isClosed` and `thread` are only touched while `mutex` is held.
private final class Mailbox: @unchecked Sendable {
    struct Entry {
        let job: UnownedJob
        /// Kept until the job has run, because the runtime still looks at the executor when a job ends.
        let executor: EngineExecutor
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var entries: [Entry] = []
    private var isClosed = false
    private var thread: pthread_t?

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func append(_ entry: Entry) {
        locked { entries.append(entry) }
    }

    func close() {
        locked { isClosed = true }
    }

    var isCurrentThread: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard let thread else { return false }
        return pthread_equal(thread, pthread_self()) != 0
    }

    /// Runs jobs in the order they came until the mailbox is closed and empty.
    func run() {
        locked { thread = pthread_self() }
        var batch: [Entry] = []
        while take(&batch) {
            for entry in batch { EngineExecutor.run(entry) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    /// Waits for entries and swaps them for the empty `batch`; false when there will be no more.
    private func take(_ batch: inout [Entry]) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while entries.isEmpty, !isClosed { pthread_cond_wait(condition, mutex) }
        swap(&entries, &batch)
        return !batch.isEmpty
    }

    private func locked(_ body: () -> Void) {
        pthread_mutex_lock(mutex)
        body()
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }
}

/// What the new thread is told.
private final class ThreadStart {
    private let name: String
    private let mailbox: Mailbox

    /// ggml's kernels keep blocks of numbers on the stack; the memory is only taken when it is touched.
    private static let stackBytes = 8 << 20

    init(name: String, mailbox: Mailbox) {
        self.name = name
        self.mailbox = mailbox
    }

    func launch() {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        let start = Unmanaged.passRetained(self)
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, &attributes, { ThreadStart.main($0) }, start.toOpaque())
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, &attributes, { $0.flatMap { ThreadStart.main($0) } }, start.toOpaque())
        #endif
        // Without a thread every engine call would wait for ever; there is nothing to fall back on.
        precondition(status == 0, "the thread '\(name)' cannot be started: error \(status)")
    }

    private static func main(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        // Balances `passRetained` in `launch`.
        let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
        let shortName = String(decoding: start.name.utf8.prefix(15), as: UTF8.self)
        #if canImport(Darwin)
            pthread_setname_np(shortName)
        #else
            pthread_setname_np(pthread_self(), shortName)
        #endif
        start.mailbox.run()
        return nil
    }
}
