internal import CoreMetrics
internal import NIOHTTP1
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import ServerPool

@Suite(.timeLimit(.minutes(5))) struct ServerPoolTests {
    /// Servers that are as they are told to be, and what the pool said of them.
    private final class Stage: Sendable {
        private let dead = Mutex<Set<String>>([])
        private let said = Mutex<[String]>([])

        var news: [String] { said.withLock { $0 } }

        func kill(_ name: String) { dead.withLock { _ = $0.insert(name) } }
        func revive(_ name: String) { dead.withLock { _ = $0.remove(name) } }

        func pool(_ names: [String], clock: ManualClock) -> ServerPool {
            var limits = PoolLimits()
            limits.jitter = 0
            return ServerPool(
                "asr",
                names.map { .init(name: $0, health: $0) },
                limits: limits,
                clock: clock,
                seed: 1,
                factory: NOOPMetricsHandler.instance,
                report: { server, change in
                    self.said.withLock { $0.append("\(server.name) \(change.state.rawValue)") }
                },
                check: { server in
                    self.dead.withLock { $0.contains(server.name) } ? .failed("refused") : .alive(nil)
                }
            )
        }
    }

    /// Runs a pool beside `body`.
    private static func watched(_ pool: ServerPool, _ body: () async throws -> Void) async rethrows {
        async let _ = pool.run()
        try await body()
    }

    private static func wait(_ clock: ManualClock, _ time: Duration, until isSo: () -> Bool) async {
        let end = clock.now + time
        while !isSo(), clock.now < end {
            await Task.yield()
            if clock.sleeperCount > 0 { clock.advance(by: .milliseconds(10)) }
        }
    }

    @Test func `a server that dies is found within five seconds, and found again within five of its return`() async {
        let (stage, clock) = (Stage(), ManualClock())
        let pool = stage.pool(["a", "b"], clock: clock)
        await Self.watched(pool) {
            stage.kill("a")
            await Self.wait(clock, .seconds(5)) { pool.states == [.down, .healthy] }
            #expect(pool.states == [.down, .healthy])
            stage.revive("a")
            await Self.wait(clock, .seconds(5)) { pool.states == [.healthy, .healthy] }
            #expect(pool.states == [.healthy, .healthy])
            #expect(stage.news == ["a suspect", "a down", "a healthy"])
        }
    }

    @Test func `a failed request has its server looked after at once, and those who wait for it are told`() async throws
    {
        let (stage, clock) = (Stage(), ManualClock())
        let pool = stage.pool(["a", "b"], clock: clock)
        try await Self.watched(pool) {
            await Self.wait(clock, .milliseconds(100)) { clock.sleeperCount > 0 }
            let waiting = try #require(pool.lease(except: [1]))
            let other = try #require(pool.lease(except: [0]))
            let lease = try #require(pool.lease(except: [1]))
            stage.kill("a")
            lease.note(.failed)
            await waiting.alarm.wait()
            #expect(waiting.isLost && lease.isLost && !other.isLost)
            #expect(clock.now < .milliseconds(100))
            #expect(pool.lease()?.server == 1)
            #expect(pool.trouble == "a is down, b did not do it")
        }
    }

    @Test func `a lease counts as long as somebody holds it`() throws {
        let pool = Stage().pool(["a", "b"], clock: ManualClock())
        do {
            let first = try #require(pool.lease())
            let second = try #require(pool.lease())
            #expect(first.server != second.server)
        }
        var counts = [0, 0]
        for _ in 0..<20 { counts[try #require(pool.lease()).server] += 1 }
        #expect(counts[0] > 0 && counts[1] > 0)
    }

    @Test func `there is no server when all are down`() {
        let pool = Stage().pool(["a", "b"], clock: ManualClock())
        for server in 0..<2 {
            for _ in 0..<2 { pool.note(.failed, of: server) }
        }
        #expect(pool.lease() == nil)
        #expect(pool.trouble == "a is down, b is down")
    }

    @Test func `health of our servers has their load, other pages have none`() {
        let ours = #"{"status":"healthy","sessions":{"active":3,"maximum":8,"refused":0,"total":9}}"#
        #expect(HealthCheck.load(in: ours) == ServerLoad(active: 3, maximum: 8))
        for other in ["", "OK", "{}", #"{"sessions":7}"#, #"{"sessions":{"active":-1,"maximum":8}}"#] {
            #expect(HealthCheck.load(in: other) == nil)
        }
    }

    @Test(arguments: [
        (ScriptedHTTPServer.Answer(body: Array(#"{"sessions":{"active":1,"maximum":2}}"#.utf8)), true),
        (.init(), true), (.init(status: .notFound), true), (.init(status: .unauthorized), true),
        (.init(status: .serviceUnavailable), false), (.init(status: .internalServerError), false),
        (.init(ending: .cut), false), (.init(ending: .stalled), false),
        (.init(body: [UInt8](repeating: 32, count: 100_000)), false),
    ])
    func `who answers is there, who has a fault or none at all is not`(
        answer: ScriptedHTTPServer.Answer,
        isThere: Bool
    ) async throws {
        var answer = answer
        if answer.ending != .stalled {
            answer.headers.add(
                name: "Content-Length",
                value: "\(max(answer.body.count, answer.ending == .cut ? 9 : 0))"
            )
        }
        let given = answer
        try await ScriptedHTTPServer.run({ _, _ in given }) { port, requests in
            let check = HealthCheck(patience: .seconds(given.ending == .stalled ? 1 : 20))
            let clock = SystemClock()
            let finding = await check.finding(at: "http://127.0.0.1:\(port)/health")
            let alive = if case .alive = finding { true } else { false }
            #expect(alive == isThere, "\(finding)")
            #expect(clock.now < .seconds(15))
            #expect(requests().first?.uri == "/health")
        }
    }

    @Test func `nobody there is found out at once`() async throws {
        var free = 0
        try await ScriptedHTTPServer.run({ _, _ in .init() }) { port, _ in free = port }
        let clock = SystemClock()
        let finding = await HealthCheck(patience: .seconds(20)).finding(at: "http://127.0.0.1:\(free)/health")
        let alive = if case .alive = finding { true } else { false }
        #expect(!alive)
        #expect(clock.now < .seconds(5))
    }

    @Test func `servers that cannot do it are left out for a while, and it is said once`() {
        let unfit = UnfitServers(pause: .seconds(60))
        #expect(unfit.add(2, at: .zero))
        #expect(unfit.all(at: .seconds(59)) == [2])
        #expect(unfit.all(at: .seconds(60)) == [])
        #expect(!unfit.add(2, at: .seconds(60)))
        #expect(unfit.all(at: .seconds(61)) == [2])
        unfit.remove(2)
        #expect(unfit.add(2, at: .seconds(62)))
    }
}
