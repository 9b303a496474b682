internal import NIOCore
internal import NIOPosix
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite(.timeLimit(.minutes(5))) struct LoopExecutorTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    private actor Guest {
        func isOn(_ loop: any EventLoop) -> Bool { loop.inEventLoop }
    }

    @Test func `children, actors and whoever has slept run on the event loop`() async throws {
        let executor = LoopExecutor(loop)
        let places = try await withTaskExecutorPreference(executor) {
            try await withThrowingTaskGroup(of: [Bool].self) { group in
                group.addTask { [loop] in
                    let first = loop.inEventLoop
                    try await executor.sleep(for: .milliseconds(1))
                    return [first, loop.inEventLoop, await Guest().isOn(loop)]
                }
                return try await group.next() ?? []
            }
        }
        #expect(places == [true, true, true])
    }

    @Test func `a sleep takes its time, and none for what has passed`() async throws {
        let clock = SystemClock()
        let before = clock.now
        try await LoopExecutor(loop).sleep(for: .milliseconds(20))
        #expect(clock.now - before >= .milliseconds(20))
        try await LoopExecutor(loop).sleep(for: .seconds(-5))
    }

    @Test func `cancelling wakes whoever sleeps`() async throws {
        let executor = LoopExecutor(loop)
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do { try await executor.sleep(for: .seconds(3600)) } catch { return error is CancellationError }
                return false
            }
            group.cancelAll()
            #expect(await group.next() == true)
        }
    }

    @Test func `real time sleeps on the executor, driven time does not`() async throws {
        let executor = LoopExecutor(loop)
        let clock = SystemClock().on(executor)
        let deadline = clock.now + .milliseconds(5)
        try await clock.sleep(until: deadline)
        #expect(clock.now >= deadline)
        let manual = ManualClock()
        #expect(manual.on(executor) as? ManualClock === manual)
    }
}
