internal import Testing
internal import VoiceCore

@testable internal import Cluster

@Suite(.timeLimit(.minutes(5))) struct LocalDirectoryTests {
    private let clock = ManualClock()
    private let hello = ChatMessage(.user, "Hello")

    private func directory(_ limits: LocalDirectory.Limits = .init()) -> LocalDirectory {
        LocalDirectory(limits: limits, clock: clock)
    }

    @Test func `what was said is there for who claims the session next`() async throws {
        let directory = directory()
        let first = try await directory.claim("s", isNew: true)
        #expect(first.epoch == 1 && first.history.isEmpty)
        #expect(await directory.append([hello, ChatMessage(.assistant, "Yes?")], to: first))
        let second = try await directory.claim("s", isNew: false)
        #expect(second.epoch == 2 && second.history == [hello, ChatMessage(.assistant, "Yes?")])
        #expect(await !directory.append([hello], to: first))
        #expect(await directory.append([hello], to: second))
        // The fenced one gives up what is not its own.
        await directory.release(first, mayComeBack: false)
        #expect(try await directory.claim("s", isNew: false).history.count == 3)
    }

    @Test func `who is fenced hears of it, and who was not does not wait`() async throws {
        let directory = directory()
        let first = try await directory.claim("s", isNew: true)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { await directory.waitForLoss(of: first) } }
            _ = try? await directory.claim("s", isNew: false)
        }
        await directory.waitForLoss(of: first)
        let other = try await directory.claim("t", isNew: true)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await directory.waitForLoss(of: other) }
            group.cancelAll()
        }
        #expect(await directory.append([hello], to: other))
    }

    @Test func `a session that may come back is remembered for its time`() async throws {
        let directory = directory(.init(memory: .seconds(600)))
        func visit(_ session: String) async throws -> Int {
            let lease = try await directory.claim(session, isNew: false)
            _ = await directory.append([hello], to: lease)
            await directory.release(lease, mayComeBack: true)
            return lease.history.count
        }
        #expect(try await visit("s") == 0)
        clock.advance(by: .seconds(599))
        #expect(try await visit("s") == 1)
        clock.advance(by: .seconds(599))
        #expect(try await visit("s") == 2)
        clock.advance(by: .seconds(600))
        #expect(try await visit("s") == 0)
    }

    @Test func `a session that is held is not forgotten, and one that ended for good is`() async throws {
        let directory = directory(.init(sessions: 1, memory: .seconds(1)))
        let held = try await directory.claim("held", isNew: true)
        _ = await directory.append([hello], to: held)
        let ended = try await directory.claim("ended", isNew: true)
        _ = await directory.append([hello], to: ended)
        await directory.release(ended, mayComeBack: false)
        #expect(try await directory.claim("ended", isNew: false).history.isEmpty)
        clock.advance(by: .seconds(10))
        #expect(await directory.append([hello], to: held))
        #expect(try await directory.claim("held", isNew: false).history.count == 2)
    }

    @Test func `only so many sessions are remembered, the latest`() async throws {
        let directory = directory(.init(sessions: 2))
        for session in ["a", "b", "c"] {
            let lease = try await directory.claim(session, isNew: true)
            _ = await directory.append([hello], to: lease)
            await directory.release(lease, mayComeBack: true)
        }
        #expect(try await directory.claim("a", isNew: false).history.isEmpty)
        #expect(try await directory.claim("b", isNew: false).history.count == 1)
        #expect(try await directory.claim("c", isNew: false).history.count == 1)
    }

    @Test func `a token is spent once while it is valid`() async throws {
        let directory = directory()
        #expect(try await directory.spend("t", for: .seconds(60)))
        #expect(try await !directory.spend("t", for: .seconds(60)))
        #expect(try await directory.spend("u", for: .seconds(60)))
        clock.advance(by: .seconds(60))
        #expect(try await directory.spend("t", for: .seconds(60)))
    }

    @Test func `no token is forgotten early for another one`() async throws {
        let directory = directory(.init(tokens: 2))
        #expect(try await directory.spend("a", for: .seconds(10)))
        #expect(try await directory.spend("b", for: .seconds(20)))
        let error = await #expect(throws: VoiceError.self) { try await directory.spend("c", for: .seconds(10)) }
        #expect(error?.code == .exhausted)
        #expect(try await !directory.spend("a", for: .seconds(10)))
        clock.advance(by: .seconds(10))
        #expect(try await directory.spend("c", for: .seconds(10)))
    }

    @Test func `the only worker is this one, as it said last`() async {
        let directory = directory()
        #expect(await directory.workers().isEmpty)
        var status = WorkerStatus(
            worker: "a",
            address: "127.0.0.1:7860",
            state: .ready,
            capacity: 4,
            used: 1,
            load: 0.25,
            version: "1"
        )
        await directory.publish(status)
        status.state = .draining
        await directory.publish(status)
        #expect(await directory.workers() == [status])
    }
}
