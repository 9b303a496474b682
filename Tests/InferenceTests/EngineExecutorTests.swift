internal import Foundation
internal import Inference
internal import Testing
internal import VoiceCore

/// On Linux, where the kernel says which thread is which.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/task"))) struct EngineExecutorTests {
    /// An actor on an executor that says where it runs.
    actor Probe {
        private let executor: EngineExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        private var running = 0
        private(set) var calls: [Int] = []

        init(_ executor: EngineExecutor) { self.executor = executor }

        func thread() -> String { currentThread() }

        func call(_ number: Int) -> Int {
            running += 1
            defer { running -= 1 }
            calls.append(number)
            return running
        }
    }

    @Test func `actors on one executor share its thread, and it is no other`() async {
        let executor = EngineExecutor(name: "probe")
        let (one, two) = (Probe(executor), Probe(executor))
        let threads = [await one.thread(), await two.thread(), await one.thread()]
        #expect(Set(threads).count == 1)
        let other = await Probe(EngineExecutor(name: "other")).thread()
        #expect(other != threads[0])
        let here = currentThread()
        #expect(here != threads[0])
    }

    @Test func `calls run one at a time and all of them`() async {
        let probe = Probe(EngineExecutor(name: "probe"))
        await withTaskGroup(of: Int.self) { group in
            for number in 0..<200 { group.addTask { await probe.call(number) } }
            for await running in group { #expect(running == 1) }
        }
        #expect(await probe.calls.sorted() == Array(0..<200))
    }

    @Test func `work that belongs to no actor runs on the thread and can fail`() async throws {
        let executor = EngineExecutor(name: "probe")
        let thread = await executor.run { currentThread() }
        #expect(await Probe(executor).thread() == thread)
        let error = await #expect(throws: VoiceError.self) {
            try await executor.run { () throws(VoiceError) in throw VoiceError(.fault, "no") }
        }
        #expect(error?.message == "no")
    }

    @Test func `the thread has the executor's name and ends with its last actor`() async throws {
        func isRunning() -> Bool { threadNames().contains("short-lived") }
        do {
            let probe = Probe(EngineExecutor(name: "short-lived"))
            _ = await probe.thread()
            #expect(isRunning())
            _ = await probe.thread()
        }
        // The thread ends by itself, soon but not at once.
        for _ in 0..<100_000 where isRunning() { await Task.yield() }
        #expect(!isRunning())
    }

    @Test func `many short executors come and go`() async {
        for _ in 0..<50 { _ = await Probe(EngineExecutor(name: "brief")).thread() }
    }
}

/// The kernel's number of the calling thread: `PID/task/TID`.
private func currentThread() -> String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? "?"
}

/// The names of all threads of this process.
private func threadNames() -> [String] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
}
