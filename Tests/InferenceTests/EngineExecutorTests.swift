import Glibc
import Inference
import Testing
import VoiceCore

@Suite struct EngineExecutorTests {
    /// An actor on an executor that says where it runs.
    actor Probe {
        private let executor: EngineExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        private var running = 0
        private(set) var calls: [Int] = []

        init(_ executor: EngineExecutor) { self.executor = executor }

        func thread() -> UInt { currentThread() }

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

    @Test func `an executor lives as long as its actor and no longer`() async {
        var executor: EngineExecutor? = EngineExecutor(name: "short")
        weak let observed = executor
        if let made = executor {
            let probe = Probe(made)
            executor = nil
            _ = await probe.thread()
            #expect(observed != nil)
        }
        #expect(executor == nil)
    }

    @Test func `many short executors come and go`() async {
        for _ in 0..<50 { _ = await Probe(EngineExecutor(name: "brief")).thread() }
    }
}

private func currentThread() -> UInt {
    // The address of a thread's error number is the thread's own.
    UInt(bitPattern: __errno_location())
}
