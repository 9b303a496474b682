internal import Cluster
internal import Conversation
internal import Foundation
internal import Logging
internal import Synchronization
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

/// Places, keys, coming back, draining: over sockets.
@Suite("Sessions", .timeLimit(.minutes(5))) struct SessionTests {
    /// What `/start` answers.
    private struct Start: Decodable {
        var sessionId: String
        var token: String
        var wsUrl: String?
    }

    private static func post(_ path: String, _ body: String = "{}", headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func start(on port: Int, headers: String = "") async throws -> (status: Int, start: Start?) {
        var outcome: (Int, Start?) = (0, nil)
        try await RawClient.connect(to: port) { client in
            let reply = try await client.request(Self.post("/start", #"{"transport":"websocket"}"#, headers: headers))
            outcome = (reply.status, try? JSONDecoder().decode(Start.self, from: Data(reply.body.utf8)))
            if reply.status == 503 { #expect(reply.headers["retry-after"] != nil) }
        }
        return outcome
    }

    private func status(of path: String, on port: Int, headers: String = "") async throws -> Int {
        var status = 0
        try await RawClient.connect(to: port) { client in
            status = try await client.request(RawClient.handshake(path, headers: headers), hasBody: false).status
        }
        return status
    }

    /// The token of `ready`.
    private func token(_ frame: RawClient.Frame) throws -> String {
        guard case .text(let text) = frame else { throw VoiceError(.fault, "no text") }
        return try #require(JSONValue(json: text)?["token"]?.text)
    }

    // MARK: - Places

    @Test func `a place is kept for five seconds and for whom it was given`() async throws {
        let clock = ManualClock()
        try await TestServer.run({ $0.maxSessions = 1 }, clock: clock) { port in
            let start = try #require(try await start(on: port).start)
            let outcome1 = try await self.start(on: port).status
            #expect(outcome1 == 503)
            try await RawClient.webSocket(to: port, path: "/sessions/\(start.sessionId)/ws") { client in
                try await client.sendText(RawClient.hello)
                guard case .text(let ready) = await client.frame() else { return #expect(Bool(false)) }
                #expect(ready.contains(#""session":"\#(start.sessionId)""#))
                let outcome2 = try await self.start(on: port).status
                #expect(outcome2 == 503)
            }
            try await expectHealth(on: port) { $0.contains(#""sessions":{"active":0,"#) }
            // Once only: whoever comes later begins another conversation.
            try await RawClient.webSocket(to: port, path: "/sessions/\(start.sessionId)/ws") { client in
                try await client.sendText(RawClient.hello)
                guard case .text(let ready) = await client.frame() else { return #expect(Bool(false)) }
                #expect(ready.contains(#""type":"ready""#))
                #expect(!ready.contains(start.sessionId))
            }
        }
    }

    @Test func `a place that nobody came for is free again`() async throws {
        let clock = ManualClock()
        try await TestServer.run({ $0.maxSessions = 1 }, clock: clock) { port in
            let start = try #require(try await start(on: port).start)
            await TestServer.move(clock, by: .seconds(5))
            let outcome4 = try await self.start(on: port).status
            #expect(outcome4 == 200)
            // The token outlives the place, but not the room.
            try await RawClient.webSocket(to: port, path: "/sessions/\(start.sessionId)/ws?token=\(start.token)") {
                try await $0.sendText(RawClient.hello)
                #expect(await $0.closing().code == 1013)
            }
        }
    }

    @Test func `sixty at once get ten places`() async throws {
        try await TestServer.run({ $0.maxSessions = 10 }) { port in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<60 { group.addTask { try await start(on: port).status } }
                var statuses: [Int] = []
                for try await status in group { statuses.append(status) }
                return statuses
            }
            #expect(statuses.count { $0 == 200 } == 10)
            #expect(statuses.count { $0 == 503 } == 50)
        }
    }

    // MARK: - Keys

    @Test func `with keys nobody talks without one, and the page is still there`() async throws {
        let key = "0123456789abcdef"
        try await TestServer.run({ $0.keys = [APIKey(name: "shop", secret: key)] }) { port in
            let outcome5 = try await status(of: "/ws", on: port)
            #expect(outcome5 == 401)
            let outcome6 = try await status(of: "/ws-client", on: port)
            #expect(outcome6 == 401)
            let outcome7 = try await status(of: "/ws?token=a.b.c", on: port)
            #expect(outcome7 == 401)
            let outcome8 = try await status(of: "/ws", on: port, headers: "Authorization: Bearer \(key)\r\n")
            #expect(outcome8 == 101)
            let outcome9 = try await start(on: port).status
            #expect(outcome9 == 401)
            let start = try #require(try await start(on: port, headers: "X-API-Key: \(key)\r\n").start)
            let outcome10 = try await status(of: "/sessions/\(start.sessionId)/ws", on: port)
            #expect(outcome10 == 101)
            try await RawClient.connect(to: port) { client in
                let outcome11 = try await client.get("/").status
                #expect(outcome11 == 200)
                let outcome12 = try await client.get("/health").status
                #expect(outcome12 == 200)
                let outcome13 = try await client.get("/metrics").status
                #expect(outcome13 == 401)
                let outcome14 = try await client.get("/metrics", headers: "Authorization: Bearer \(key)\r\n").status
                #expect(outcome14 == 200)
                let outcome15 = try await client.request(Self.post("/api/offer")).status
                #expect(outcome15 == 400)
                let offer = #"{"type":"offer","sdp":"v=0"}"#
                let outcome16 = try await client.request(Self.post("/api/offer", offer)).status
                #expect(outcome16 == 401)
                let outcome17 = try await client.request(Self.post("/", "CallSid=1")).status
                #expect(outcome17 == 401)
            }
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.0.2.1"])
    func `a server that others can reach does not begin without a key`(host: String) async throws {
        let configuration = VoiceServer.Configuration(host: host, port: 0)
        let server = VoiceServer(
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            describe: { ServerDescription(version: "", models: TestServer.models) },
            runSession: { _, _ in }
        )
        let error = await #expect(throws: VoiceError.self) { try await server.run() }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("--insecure-public") == true)
    }

    // MARK: - Coming back

    @Test func `who lost the connection comes back into the conversation, once with each token`() async throws {
        let pasts = Mutex<[[ChatMessage]]>([])
        try await TestServer.run(session: { transport, info in
            pasts.withLock { $0.append(info.past.messages) }
            for await event in transport.events {
                if case .text(let text) = event { info.past.record?([ChatMessage(.user, text)]) }
            }
        }) { port in
            var session = ""
            var token = ""
            try await RawClient.webSocket(to: port) { client in
                try await client.sendText(RawClient.hello)
                let ready = await client.frame()
                token = try self.token(ready)
                if case .text(let text) = ready { session = JSONValue(json: text)?["session"]?.text ?? "" }
                try await client.sendText(#"{"type":"text","text":"remember me"}"#)
                try await client.sendText(#"{"type":"ping","t":1}"#)
                _ = await client.frame()
            }
            let outcome19 = try await status(of: "/sessions/other/ws?token=\(token)", on: port)
            #expect(outcome19 == 403)
            try await RawClient.webSocket(to: port, path: "/sessions/\(session)/ws?token=\(token)") { client in
                try await client.sendText(RawClient.hello)
                let next = try self.token(await client.frame())
                #expect(next != token)
            }
            let outcome20 = try await status(of: "/sessions/\(session)/ws?token=\(token)", on: port)
            #expect(outcome20 == 403)
            #expect(pasts.withLock { $0 } == [[], [ChatMessage(.user, "remember me")]])
        }
    }

    @Test func `a connection that is thought to live ends when its person comes back over another`() async throws {
        try await TestServer.run({ $0.maxSessions = 1 }) { port in
            try await RawClient.webSocket(to: port) { old in
                try await old.sendText(RawClient.hello)
                let ready = await old.frame()
                let token = try self.token(ready)
                guard case .text(let text) = ready, let session = JSONValue(json: text)?["session"]?.text else {
                    return
                }
                try await RawClient.webSocket(to: port, path: "/sessions/\(session)/ws?token=\(token)") { new in
                    try await new.sendText(RawClient.hello)
                    _ = try self.token(await new.frame())
                    #expect(await old.closing().code == 4001)
                }
            }
        }
    }

    // MARK: - The end

    @Test func `a draining server takes nobody new, loses nobody and ends with the last`() async throws {
        let (server, endpoints, ready) = try Self.server { _ in }
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run { ready.yield($0.port) } }
            var iterator = endpoints.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await RawClient.conversation(on: port) { client in
                server.drain()
                try await RawClient.connect(to: port) { other in
                    let outcome21 = try await other.get("/ready").status
                    #expect(outcome21 == 404)
                    let health = try await other.get("/health")
                    #expect(health.status == 200)
                    #expect(health.body.contains(#""status":"draining""#))
                    let refused = try await other.request(Self.post("/start", #"{"transport":"websocket"}"#))
                    #expect(refused.status == 503)
                    #expect(refused.headers["retry-after"] == "1")
                }
                try await client.sendText(#"{"type":"text","text":"still here"}"#)
                guard case .text(let text) = await client.frame() else { return #expect(Bool(false)) }
                #expect(text.contains("still here"))
                try await client.sendText(#"{"type":"bye"}"#)
                #expect(await client.closing().code == 1000)
            }
            try await group.waitForAll()
        }
    }

    @Test func `past the deadline whoever is left is told goodbye and closed for a restart`() async throws {
        let (server, endpoints, ready) = try Self.server {
            $0.drainTimeout = .zero
            $0.goodbye = "so long"
        }
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run { ready.yield($0.port) } }
            var iterator = endpoints.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await RawClient.conversation(on: port) { client in
                server.drain()
                guard case .text(let text) = await client.frame() else { return #expect(Bool(false)) }
                #expect(text.contains("so long"))
                #expect(await client.closing().code == 1012)
            }
            try await group.waitForAll()
        }
    }

    private static func server(
        _ configure: (inout VoiceServer.Configuration) -> Void
    ) throws -> (VoiceServer, AsyncStream<Int>, AsyncStream<Int>.Continuation) {
        var configuration = VoiceServer.Configuration(port: 0)
        configuration.webRTC = nil
        configure(&configuration)
        let (endpoints, ready) = AsyncStream.makeStream(of: Int.self)
        let server = VoiceServer(
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            describe: { ServerDescription(version: "1", models: TestServer.models) },
            runSession: { transport, _ in try await TestServer.echo(transport) }
        )
        return (server, endpoints, ready)
    }

    // MARK: - Several workers

    @Test func `workers of a cluster fill each other's places before they refuse`() async throws {
        let directory = SharedDirectory()
        func worker(_ name: String, _ body: @escaping (Int) async throws -> Void) async throws {
            try await TestServer.run(
                {
                    $0.maxSessions = 3
                    $0.webRTC = nil
                    $0.directory = directory
                    $0.cluster = ClusterMembership(worker: name, secret: "the workers' secret")
                },
                body
            )
        }
        try await worker("w1") { first in
            try await worker("w2") { second in
                while await directory.workers().count < 2 { await Task.yield() }
                let starts = try await withThrowingTaskGroup(of: (Int, Start?).self) { group in
                    for index in 0..<20 { group.addTask { try await start(on: index % 2 == 0 ? first : second) } }
                    var starts: [(Int, Start?)] = []
                    for try await start in group { starts.append(start) }
                    return starts
                }
                let sessions = starts.compactMap { $0.1?.sessionId }
                #expect(sessions.count { $0.hasPrefix("w1.") } == 3)
                #expect(sessions.count { $0.hasPrefix("w2.") } == 3)
                #expect(starts.count { $0.0 == 503 } == 14)
                try await RawClient.connect(to: first) { client in
                    let outcome22 = try await client.request(Self.post("/reservations")).status
                    #expect(outcome22 == 401)
                }
                let outcome23 = try await status(of: "/ws", on: first)
                #expect(outcome23 == 503)
            }
        }
    }

    /// A directory of workers that several servers of this process share.
    private final class SharedDirectory: SessionDirectory {
        private let sessions = LocalDirectory(clock: SystemClock())
        private let known = Mutex<[String: WorkerStatus]>([:])

        func claim(_ session: String, isNew: Bool) async throws(VoiceError) -> SessionLease {
            try await sessions.claim(session, isNew: isNew)
        }
        func append(_ messages: [ChatMessage], to lease: SessionLease) async -> Bool {
            await sessions.append(messages, to: lease)
        }
        func release(_ lease: SessionLease, mayComeBack: Bool) async {
            await sessions.release(lease, mayComeBack: mayComeBack)
        }
        func waitForLoss(of lease: SessionLease) async { await sessions.waitForLoss(of: lease) }
        func spend(_ token: String, for lifetime: Duration) async throws(VoiceError) -> Bool {
            try await sessions.spend(token, for: lifetime)
        }
        func workers() async -> [WorkerStatus] { known.withLock { Array($0.values) } }
        func publish(_ status: WorkerStatus) async { known.withLock { $0[status.worker] = status } }
    }
}
