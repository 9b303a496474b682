internal import Synchronization
internal import Testing
internal import VoiceCore

@testable internal import Simulation

struct VirtualTimeTests {
    private final class Log: Sendable {
        private let entries = Mutex<[String]>([])

        func note(_ entry: String) { entries.withLock { $0.append(entry) } }
        var all: [String] { entries.withLock { $0 } }
    }

    @Test func `hours of sleep take no time, and sleepers wake in the order of their hours`() throws {
        let log = Log()
        let end = try VirtualTime.run { time in
            await withTaskGroup(of: Void.self) { group in
                for hours in [3, 1, 2] {
                    group.addTask {
                        try? await time.sleep(until: .seconds(3600 * hours))
                        log.note("\(hours): \(time.now.components.seconds)")
                    }
                }
            }
            return time.now
        }
        #expect(log.all == ["1: 3600", "2: 7200", "3: 10800"])
        #expect(end == .seconds(10_800))
    }

    @Test func `time stands still while anybody has something to do`() throws {
        let moments = try VirtualTime.run { time in
            async let sleeper: Void = { try? await time.sleep(until: .milliseconds(1)) }()
            for _ in 0..<1000 { await Task.yield() }
            let before = time.now
            await sleeper
            return [before, time.now]
        }
        #expect(moments == [.zero, .milliseconds(1)])
    }

    @Test func `a sleep that is cancelled ends at once`() throws {
        let (failed, end) = try VirtualTime.run { time in
            let failed = await withTaskGroup(of: Bool.self) { group in
                group.addTask { (try? await time.sleep(until: .seconds(60))) == nil }
                group.addTask {
                    try? await time.sleep(until: .seconds(1))
                    return false
                }
                _ = await group.next()
                group.cancelAll()
                return await group.next() ?? false
            }
            return (failed, time.now)
        }
        #expect(failed)
        #expect(end == .seconds(1))
    }

    @Test func `a program whose tasks wait for each other is a fault`() throws {
        #expect(throws: VoiceError.self) {
            try VirtualTime.run { time in
                let mailbox = Mailbox<Int>(capacity: 1, overflow: .dropOldest, clock: time)
                return await mailbox.next()
            }
        }
    }

    @Test func `threads share a processor evenly`() throws {
        let ends = try VirtualTime.run { time in
            let processor = SharedProcessor(cores: 2, time: time)
            return await withTaskGroup(of: Duration.self) { group in
                // Alone until 10 ms, then four threads on two cores.
                for (start, threads) in [(0, 2), (10, 2)] {
                    group.addTask {
                        try? await time.sleep(until: .milliseconds(start))
                        await processor.compute(.milliseconds(20), threads: threads)
                        return time.now
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(ends == [.milliseconds(30), .milliseconds(40)])
    }
}
