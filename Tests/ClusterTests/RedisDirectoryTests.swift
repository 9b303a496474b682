internal import Foundation
internal import Logging
internal import Redis
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Cluster

/// Against redis-server itself.
@Suite(.serialized, .enabled(if: RedisServer.isInstalled, "run scripts/bootstrap --tests"), .timeLimit(.minutes(5)))
struct RedisDirectoryTests {
    /// Patient enough for a machine that does other things.
    private static let patient = RedisDirectory.Timing(reply: .seconds(10), round: .milliseconds(50))
    private static let hasty = RedisDirectory.Timing(reply: .milliseconds(400), round: .milliseconds(50))

    private func makeDirectory(
        _ worker: String,
        port: Int,
        _ timing: RedisDirectory.Timing = Self.patient,
        login: String = ""
    ) throws -> RedisDirectory {
        try RedisDirectory(
            RedisAddress("redis://\(login)127.0.0.1:\(port)", from: "test"),
            worker: worker,
            prefix: "p",
            timing: timing,
            clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Directories of workers a, b and so on, connected, while `body` runs.
    private func withWorkers(
        _ count: Int,
        port: Int,
        _ timing: RedisDirectory.Timing = Self.patient,
        login: String = "",
        _ body: @Sendable ([RedisDirectory]) async throws -> Void
    ) async throws {
        let workers = try ["a", "b"].prefix(count).map { try makeDirectory($0, port: port, timing, login: login) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.run() } }
            defer { group.cancelAll() }
            for worker in workers { try await eventually("a connection") { worker.isAvailable } }
            try await body(workers)
        }
    }

    /// How something fails.
    private func failure(of work: @Sendable () async throws(VoiceError) -> Void) async -> VoiceError? {
        do {
            try await work()
            return nil
        } catch {
            return error
        }
    }

    private func message(_ text: String) -> ChatMessage { ChatMessage(.user, text) }

    private func words(_ history: [ChatMessage]) -> [String] { history.map(\.content) }

    /// What Redis itself says of a session.
    private func stored(_ session: String, _ server: RedisServer) throws -> (fields: [String: String], log: [String]) {
        let lines = try server.ask(["HGETALL", "p:session:\(session)"])
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: lines.count - 1, by: 2) { fields[lines[index]] = lines[index + 1] }
        let log = try server.ask(["LRANGE", "p:session:\(session):log", "0", "-1"]).filter { !$0.isEmpty }
        return (fields, SessionLog(log, next: log.count).history.messages.map(\.content))
    }

    // MARK: - sessions

    @Test func `a session moves from worker to worker with all that was said`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                let (a, b) = (workers[0], workers[1])
                let first = try await a.claim("s", isNew: true)
                #expect(first.epoch == 1 && first.history.isEmpty)
                #expect(await a.append([message("one"), message("two")], to: first))
                #expect(try stored("s", server).fields["worker"] == "a")
                let second = try await b.claim("s", isNew: false)
                #expect(second.epoch == 2 && words(second.history) == ["one", "two"])
                #expect(await !a.append([message("lost")], to: first))
                await a.release(first, mayComeBack: false)
                #expect(await b.append([message("three")], to: second))
                await b.release(second, mayComeBack: true)
                #expect(try stored("s", server).fields["worker"] == "")
                let third = try await a.claim("s", isNew: false)
                #expect(third.epoch == 3 && words(third.history) == ["one", "two", "three"])
                await a.release(third, mayComeBack: false)
                #expect(try server.ask(["KEYS", "p:session:*"]) == [""])
            }
        }
    }

    @Test func `of two workers that claim a session at once exactly one has it afterwards`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                for round in 0..<100 {
                    let session = "race-\(round)"
                    async let ours = workers[0].claim(session, isNew: false)
                    async let theirs = workers[1].claim(session, isNew: false)
                    let leases = [try await ours, try await theirs]
                    #expect(Set(leases.map(\.epoch)) == [1, 2])
                    let winner = leases[0].epoch == 2 ? 0 : 1
                    let loser = 1 - winner
                    #expect(await workers[winner].append([message("won")], to: leases[winner]))
                    #expect(await !workers[loser].append([message("lost")], to: leases[loser]))
                    await workers[loser].waitForLoss(of: leases[loser])
                    let (fields, log) = try stored(session, server)
                    #expect(fields["worker"] == ["a", "b"][winner] && fields["epoch"] == "2" && log == ["won"])
                }
            }
        }
    }

    @Test func `who lost a session hears of it though nothing is said`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                let first = try await workers[0].claim("s", isNew: true)
                async let loss: Void = workers[0].waitForLoss(of: first)
                _ = try await workers[1].claim("s", isNew: false)
                await loss
                #expect(await !workers[0].append([message("x")], to: first))
            }
        }
    }

    @Test func `a claim of the same worker fences its earlier one`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(1, port: server.port) { workers in
                let first = try await workers[0].claim("s", isNew: true)
                _ = await workers[0].append([message("one")], to: first)
                let second = try await workers[0].claim("s", isNew: false)
                #expect(second.epoch == 2 && words(second.history) == ["one"])
                await workers[0].waitForLoss(of: first)
                #expect(await !workers[0].append([message("x")], to: first))
                #expect(await workers[0].append([message("two")], to: second))
                #expect(try stored("s", server).log == ["one", "two"])
            }
        }
    }

    @Test(arguments: ["", "s:log", String(repeating: "s", count: 201)])
    func `names that would be parts of other keys are no sessions`(name: String) async throws {
        let directory = try makeDirectory("a", port: 1)
        let error = await #expect(throws: VoiceError.self) { try await directory.claim(name, isNew: true) }
        #expect(error?.code == .usage)
    }

    @Test func `logs are kept for their time, and held ones as long as they are held`() async throws {
        try await RedisServer.run { server in
            let timing = RedisDirectory.Timing(
                reply: .seconds(10),
                round: .milliseconds(50),
                memory: .milliseconds(1500)
            )
            try await withWorkers(1, port: server.port, timing) { workers in
                let held = try await workers[0].claim("held", isNew: true)
                _ = await workers[0].append([message("x")], to: held)
                let given = try await workers[0].claim("given", isNew: true)
                _ = await workers[0].append([message("x")], to: given)
                await workers[0].release(given, mayComeBack: true)
                #expect(try server.ask(["EXISTS", "p:session:given", "p:session:given:log"]) == ["2"])
                try await eventually("it is forgotten") {
                    try server.ask(["EXISTS", "p:session:given", "p:session:given:log"]) == ["0"]
                }
                #expect(try server.ask(["EXISTS", "p:session:held", "p:session:held:log"]) == ["2"])
            }
        }
    }

    @Test func `a log has its bounds in Redis, too`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                let lease = try await workers[0].claim("s", isNew: true)
                for number in 0..<30 {
                    #expect(await workers[0].append((0..<10).map { message("\(number * 10 + $0)") }, to: lease))
                }
                let kept = (300 - SessionLog.mostMessages..<300).map(String.init)
                #expect(try stored("s", server).log == kept)
                let long = String(repeating: "x", count: 100 << 10)
                for _ in 0..<5 { #expect(await workers[0].append([message(long)], to: lease)) }
                #expect(try server.ask(["LLEN", "p:session:s:log"]) == ["2"])
                let next = try await workers[1].claim("s", isNew: false)
                #expect(words(next.history) == [long, long])
                #expect(workers[0].lostMessages == 0)
            }
        }
    }

    @Test func `many sessions are held in few commands`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(1, port: server.port) { workers in
                var leases: [SessionLease] = []
                for number in 0..<600 { leases.append(try await workers[0].claim("s\(number)", isNew: true)) }
                for lease in leases { _ = await workers[0].append([message("x")], to: lease) }
                _ = try server.ask(["CONFIG", "RESETSTAT"])
                _ = try server.ask(
                    [],
                    input: (0..<600).map { "PEXPIRE p:session:s\($0) 1000000" }.joined(separator: "\n")
                )
                try await eventually("all are renewed") {
                    let input = (0..<600).map { "PTTL p:session:s\($0)" }.joined(separator: "\n")
                    return try server.ask([], input: input).allSatisfy { Int($0).map { $0 <= 600_000 } ?? false }
                }
                let counted = try server.ask(["INFO", "commandstats"]).first { $0.hasPrefix("cmdstat_evalsha:") }
                let calls = try #require(counted?.split(separator: "=").dropFirst().first?.split(separator: ",").first)
                #expect(try #require(Int(calls)) < 300)
            }
        }
    }

    // MARK: - Redis is away

    @Test func `while Redis hangs conversations go on, and afterwards nothing is missing and nothing double`()
        async throws
    {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port, Self.hasty) { workers in
                let (a, b) = (workers[0], workers[1])
                let held = try await a.claim("held", isNew: true)
                #expect(await a.append([message("1")], to: held))
                server.pause()
                // This claim reaches Redis when it goes on: it must not take the session away then.
                async let refused = failure { () async throws(VoiceError) in
                    _ = try await b.claim("held", isNew: false)
                }
                async let added = a.append([message("2")], to: held)
                #expect(await refused?.code == .unavailable)
                #expect(await added)
                #expect(await a.append([message("3"), message("4")], to: held))
                let new = try await a.claim("new", isNew: true)
                #expect(new.epoch == 0)
                #expect(await a.append([message("hello")], to: new))
                let brief = try await a.claim("brief", isNew: true)
                await a.release(brief, mayComeBack: false)
                let left = try await a.claim("left", isNew: true)
                #expect(await a.append([message("bye")], to: left))
                await a.release(left, mayComeBack: true)
                // Its own sessions are known to a worker.
                let again = try await a.claim("new", isNew: false)
                #expect(again.epoch == 0 && words(again.history) == ["hello"])
                #expect(await !a.append([message("x")], to: new))
                #expect(await a.append([message("there")], to: again))
                let other = await #expect(throws: VoiceError.self) { try await b.claim("new", isNew: false) }
                #expect(other?.code == .unavailable)
                await #expect(throws: VoiceError.self) { try await a.spend("token", for: .seconds(60)) }
                server.resume()
                try await eventually("all is told") {
                    try stored("held", server).log.count == 4 && stored("new", server).log.count == 2
                        && stored("left", server).log.count == 1
                }
                #expect(await a.append([message("5")], to: held))
                #expect(try stored("held", server).log == ["1", "2", "3", "4", "5"])
                #expect(try stored("held", server).fields["epoch"] == "1")
                #expect(try stored("new", server).log == ["hello", "there"])
                #expect(try stored("new", server).fields["worker"] == "a")
                #expect(try stored("left", server).log == ["bye"])
                try await eventually("it is given up") { try stored("left", server).fields["worker"] == "" }
                try await eventually("it is forgotten") { try server.ask(["EXISTS", "p:session:brief"]) == ["0"] }
                #expect(a.lostMessages == 0)
                try await eventually("b answers") { b.isAvailable }
                #expect(words(try await b.claim("new", isNew: false).history) == ["hello", "there"])
            }
        }
    }

    @Test func `a Redis that comes back empty is told everything, and numbers do not go back`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                let (a, b) = (workers[0], workers[1])
                let first = try await b.claim("s", isNew: true)
                #expect(await b.append([message("1")], to: first))
                let lease = try await a.claim("s", isNew: false)
                #expect(await a.append([message("2"), message("3")], to: lease))
                server.kill()
                try await eventually("the end is noticed") { !a.isAvailable && !b.isAvailable }
                #expect(await a.append([message("4")], to: lease))
                try server.start()
                try await eventually("all is told") { try stored("s", server).log == ["1", "2", "3", "4"] }
                #expect(try stored("s", server).fields["epoch"] == "2")
                #expect(await a.append([message("5")], to: lease))
                try await eventually("b answers") { b.isAvailable }
                let next = try await b.claim("s", isNew: false)
                #expect(next.epoch == 3 && words(next.history) == ["1", "2", "3", "4", "5"])
                #expect(await !a.append([message("x")], to: lease))
            }
        }
    }

    @Test func `a session of which only its worker knew is lost to a claim that Redis knows`() async throws {
        try await RedisServer.run { server in
            let a = try makeDirectory("a", port: server.port)
            // Nobody runs a yet: to it, Redis is away.
            let lease = try await a.claim("s", isNew: true)
            #expect(lease.epoch == 0)
            try await withWorkers(1, port: server.port) { others in
                let theirs = try await others[0].claim("s", isNew: false)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await a.run() }
                    await a.waitForLoss(of: lease)
                    group.cancelAll()
                }
                #expect(await !a.append([message("x")], to: lease))
                #expect(await others[0].append([message("y")], to: theirs))
            }
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func `connections cut anywhere lose nothing and double nothing`(
        seed: UInt64
    ) async throws {
        try await RedisServer.run { server in
            let knife = CuttingProxy.Knife(seed: seed, bytes: 400...8000)
            try await CuttingProxy.run(to: server.port, with: knife) { port in
                try await withWorkers(1, port: port) { workers in
                    let lease = try await workers[0].claim("s", isNew: true)
                    var number = 0
                    while knife.cuts < 20 || number < 100 {
                        number += 1
                        #expect(await workers[0].append([message("\(number)")], to: lease))
                        // No more at once than a connection carries before it is cut.
                        if number % 20 == 0 {
                            try await eventually("it is told") {
                                workers[0].state.withLock { $0.ledger.unsettled.isEmpty }
                            }
                        }
                    }
                    knife.rest()
                    let expected = Array((1...number).map(String.init).suffix(SessionLog.mostMessages))
                    try await eventually("all is told") { try stored("s", server).log == expected }
                    #expect(try stored("s", server).fields["total"] == "\(number)")
                    #expect(workers[0].lostMessages == 0)
                }
            }
        }
    }

    @Test func `keys that hold something else are errors, and the other sessions go on`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                let good = try await workers[0].claim("good", isNew: true)
                let bad = try await workers[0].claim("bad", isNew: true)
                _ = try server.ask(["SET", "p:session:bad", "x"])
                #expect(await workers[0].append([message("1")], to: bad))
                #expect(await workers[0].append([message("1")], to: good))
                let error = await #expect(throws: VoiceError.self) {
                    try await workers[1].claim("bad", isNew: false)
                }
                #expect(error?.code == .unavailable && error?.message.contains("WRONGTYPE") == true)
                _ = try server.ask(["SET", "p:session:odd:log", "x"])
                _ = try server.ask(["HSET", "p:session:odd", "owner", "z/1", "worker", "z", "epoch", "1", "total", "1"])
                await #expect(throws: VoiceError.self) { try await workers[1].claim("odd", isNew: false) }
                #expect(try stored("odd", server).fields["worker"] == "z")
                _ = try server.ask(["DEL", "p:session:bad"])
                try await eventually("it is told again") { try stored("bad", server).log == ["1"] }
                _ = try server.ask(["RPUSH", "p:session:good:log", "{", "nonsense"])
                #expect(words(try await workers[1].claim("good", isNew: false).history) == ["1"])
                _ = try server.ask(["HSET", "p:session:good", "epoch", "-7", "total", "x", "bytes", "-"])
                #expect(try await workers[0].claim("good", isNew: false).epoch >= 1)
            }
        }
    }

    // MARK: - tokens and workers

    @Test func `a token is spent once in all workers`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                for round in 0..<50 {
                    async let ours = workers[0].spend("t\(round)", for: .seconds(60))
                    async let theirs = workers[1].spend("t\(round)", for: .seconds(60))
                    let spent = [try await ours, try await theirs]
                    #expect(spent.filter { $0 }.count == 1)
                }
                #expect(try await workers[0].spend("brief", for: .milliseconds(20)))
                try await eventually("it is forgotten") {
                    try await workers[1].spend("brief", for: .milliseconds(20))
                }
            }
        }
    }

    private func status(_ worker: String, used: Int = 0) -> WorkerStatus {
        WorkerStatus(
            worker: worker,
            address: "127.0.0.1:1",
            state: .ready,
            capacity: 10,
            used: used,
            load: Double(used) / 10,
            version: "1"
        )
    }

    @Test func `workers know of each other, and of a dead one no more after seconds`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port) { workers in
                let (a, b) = (workers[0], workers[1])
                await a.publish(status("a", used: 3))
                await b.publish(status("b"))
                try await eventually("both know both") {
                    let (ours, theirs) = (await a.workers(), await b.workers())
                    return ours == [status("b"), status("a", used: 3)]
                        && theirs == [status("a", used: 3), status("b")]
                }
                #expect(try server.ask(["PTTL", "p:worker:a"]).allSatisfy { (1...3000).contains(Int($0) ?? 0) })
                // b says nothing any more.
                let began = ContinuousClock.now
                try await eventually("b is gone") {
                    await a.publish(status("a"))
                    return await a.workers() == [status("a")]
                }
                #expect((1.5...10).contains((ContinuousClock.now - began) / .seconds(1)))
                #expect(try server.ask(["EXISTS", "p:worker:b"]) == ["0"])
            }
        }
    }

    @Test func `while Redis is away only this worker is known`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(2, port: server.port, Self.hasty) { workers in
                let (a, b) = (workers[0], workers[1])
                await b.publish(status("b"))
                await a.publish(status("a"))
                try await eventually("a knows b") { await a.workers().count == 2 }
                server.pause()
                try await eventually("b is unknown") {
                    await a.publish(status("a", used: 1))
                    return await a.workers() == [status("a", used: 1)]
                }
                server.resume()
                try await eventually("a knows b") {
                    await b.publish(status("b"))
                    return await a.workers().count == 2
                }
            }
        }
    }

    @Test func `a user needs no more rights than the page says`() async throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/cluster.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let rights = try #require(text.split(separator: "`").first { $0.hasPrefix("~repartee:* ") })
        let own = rights.replacingOccurrences(of: "~repartee:*", with: "~p:*").split(separator: " ").map(String.init)
        try await RedisServer.run({ _ in ["--user", "worker", "on", ">secret"] + own }) { server in
            try await withWorkers(2, port: server.port, login: "worker:secret@") { workers in
                let first = try await workers[0].claim("s", isNew: true)
                #expect(first.epoch == 1)
                for _ in 0..<30 {
                    #expect(await workers[0].append([message(String(repeating: "x", count: 20_000))], to: first))
                }
                #expect(try await workers[1].spend("t", for: .seconds(60)))
                await workers[1].publish(status("b"))
                try await eventually("they know each other") { await workers[0].workers() == [status("b")] }
                let second = try await workers[1].claim("s", isNew: false)
                #expect(second.history.count == 13)
                await workers[1].release(second, mayComeBack: false)
                // The token, the list of workers, and b unless it took three seconds until here.
                let keys = try server.ask(["DBSIZE"])
                #expect(keys == ["3"] || keys == ["2"])
            }
        }
    }

    @Test func `what is no worker is left out of the list`() async throws {
        try await RedisServer.run { server in
            try await withWorkers(1, port: server.port) { workers in
                _ = try server.ask(["ZADD", "p:workers", "9999999999999", "odd", "9999999999999", "none"])
                _ = try server.ask(["SET", "p:worker:odd", "x"])
                await workers[0].publish(status("a"))
                try await eventually("a is listed in Redis") {
                    try server.ask(["ZSCORE", "p:workers", "a"]).first?.isEmpty == false
                }
                #expect(await workers[0].workers() == [status("a")])
                #expect(workers[0].isAvailable)
            }
        }
    }
}
