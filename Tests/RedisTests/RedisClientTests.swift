internal import Logging
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Redis

/// A client while `body` runs.
func withClient<Result: Sendable>(
    _ address: String,
    limits: RedisClient.Limits = .init(connect: .seconds(10), command: .seconds(10)),
    _ body: @Sendable (RedisClient) async throws -> Result
) async throws -> Result {
    let client = try RedisClient(
        RedisAddress(address, from: "test"),
        limits: limits,
        trusting: LoopbackCertificate.roots(),
        clock: SystemClock(),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            await client.run()
            return nil
        }
        defer { group.cancelAll() }
        return try await body(client)
    }
}

/// How something fails.
func failure(of work: () async throws(VoiceError) -> RESPValue) async -> VoiceError? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error
    }
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct RedisClientTests {
    private static let patient = RedisClient.Limits(connect: .seconds(10), command: .seconds(10))
    private static let hasty = RedisClient.Limits(connect: .milliseconds(200), command: .milliseconds(200))

    /// PONG to a PING, and otherwise what `script` says.
    private func serve(
        _ script: @escaping @Sendable (ScriptedRedisServer.Request) -> ScriptedRedisServer.Answer,
        _ body: (_ address: String, _ requests: @escaping @Sendable () -> [ScriptedRedisServer.Request]) async throws ->
            Void
    ) async throws {
        try await ScriptedRedisServer.run({ $0.words == ["PING"] ? .bytes("+PONG\r\n") : script($0) }) {
            try await body("redis://127.0.0.1:\($0)", $1)
        }
    }

    @Test func `replies in pieces of one byte reach their commands`() async throws {
        try await serve({ .bytes("$\($0.words[1].utf8.count)\r\n\($0.words[1])\r\n", piece: 1) }) { address, _ in
            try await withClient(address) { client in
                let answers = try await withThrowingTaskGroup(of: (Int, RESPValue).self) { group in
                    for number in 0..<100 { group.addTask { (number, try await client.send(["ECHO", "\(number)"])) } }
                    return try await group.reduce(into: [Int: RESPValue]()) { $0[$1.0] = $1.1 }
                }
                for number in 0..<100 { #expect(answers[number]?.string == "\(number)") }
            }
        }
    }

    @Test func `an error of the server is a value`() async throws {
        try await serve({ _ in .bytes("-ERR unknown command\r\n") }) { address, _ in
            let reply = try await withClient(address) { try await $0.send(["NONE"]) }
            #expect(reply == .failure("ERR unknown command"))
        }
    }

    @Test func `a command without a reply fails in time, and the next ones go over a new connection`() async throws {
        try await serve({ $0.words == ["STUCK"] ? .silence : .bytes(":1\r\n") }) { address, requests in
            try await withClient(address, limits: Self.hasty) { client in
                try await eventually("ready") { client.isReady }
                let error = await failure { () async throws(VoiceError) in try await client.send(["STUCK"]) }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains("does not answer within 200") == true)
                try await eventually("a reply") { (try? await client.send(["NEXT"])) == .number(1) }
                #expect((requests().last { $0.words == ["NEXT"] }?.connection ?? 0) > 1)
            }
        }
    }

    @Test func `a server that takes connections and says nothing is no server`() async throws {
        try await ScriptedRedisServer.run({ _ in .silence }) { port, _ in
            try await withClient("redis://127.0.0.1:\(port)", limits: Self.hasty) { client in
                let error = await failure { () async throws(VoiceError) in try await client.send(["PING"]) }
                #expect(error?.code == .unavailable)
                #expect(!client.isReady)
            }
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n", "no RESP"), ("$999999999\r\n", "more than"),
        ("+PONG\r\n+PONG\r\n", "reply to nothing"),
    ])
    func `a server that breaks the protocol is left, and it is said how`(answer: String, words: String) async throws {
        try await ScriptedRedisServer.run({ _ in .bytes(answer) }) { port, _ in
            try await withClient("redis://127.0.0.1:\(port)", limits: Self.patient) { client in
                try await eventually("the error") {
                    let error = await failure { () async throws(VoiceError) in try await client.send(["GET", "a"]) }
                    return error?.message.contains(words) == true
                }
            }
        }
    }

    @Test func `where nobody listens, commands fail and it is said why`() async throws {
        let port = try await freePort()
        try await withClient("redis://127.0.0.1:\(port)") { client in
            let error = await failure { () async throws(VoiceError) in try await client.send(["PING"]) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("127.0.0.1:\(port)") == true)
            #expect(error?.message.contains("refused") == true)
        }
    }

    @Test func `more commands than may wait are refused`() async throws {
        let limits = RedisClient.Limits(connect: .seconds(10), command: .seconds(10), commands: 3)
        try await serve({ _ in .silence }) { address, requests in
            try await withClient(address, limits: limits) { client in
                try await eventually("ready") { client.isReady }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { _ = try? await client.send(["STUCK"]) } }
                    try await eventually("they are sent") { requests().count == 4 }
                    let error = await failure { () async throws(VoiceError) in try await client.send(["MORE"]) }
                    #expect(error?.code == .exhausted)
                    group.cancelAll()
                }
            }
        }
    }

    @Test func `a cancelled command ends at once, and its reply goes to nobody else`() async throws {
        try await serve({ $0.words == ["FIRST"] ? .silence : .bytes("+first\r\n+second\r\n") }) { address, requests in
            try await withClient(address) { client in
                try await eventually("ready") { client.isReady }
                try await withThrowingTaskGroup(of: VoiceError.Code?.self) { group in
                    group.addTask {
                        await failure { () async throws(VoiceError) in try await client.send(["FIRST"]) }?.code
                    }
                    try await eventually("it is sent") { requests().contains { $0.words == ["FIRST"] } }
                    group.cancelAll()
                    #expect(try await group.next() == .cancelled)
                }
                #expect(try await client.send(["SECOND"]) == .text("second"))
            }
        }
    }

    @Test func `a script is sent whole only where it is not known`() async throws {
        let script = RedisScript("return 7")
        try await serve({ request in
            switch request.words.first {
            case "EVALSHA": .bytes(request.connection == 1 ? "-NOSCRIPT No matching script.\r\n" : ":8\r\n")
            default: .bytes(":7\r\n")
            }
        }) { address, requests in
            try await withClient(address) { client in
                let reply = try await client.run(script, keys: ["k"], arguments: ["a", "b"])
                #expect(reply == .number(7))
            }
            #expect(
                requests().map(\.words).dropFirst() == [
                    ["EVALSHA", script.digest, "1", "k", "a", "b"], ["EVAL", "return 7", "1", "k", "a", "b"],
                ]
            )
            try await withClient(address) { client in
                let reply = try await client.run(script, keys: [], arguments: [])
                #expect(reply == .number(8))
            }
        }
    }

    @Test func `cancellation ends the connection, and commands fail from then on`() async throws {
        try await serve({ _ in .silence }) { address, _ in
            let client = try await withClient(address) { client in
                try await eventually("ready") { client.isReady }
                return client
            }
            let error = await failure { () async throws(VoiceError) in try await client.send(["PING"]) }
            #expect(error?.code == .unavailable)
            #expect(!client.isReady)
        }
    }

    @Test func `a client that is cancelled before it begins ends`() async throws {
        let client = try RedisClient(
            RedisAddress("redis://127.0.0.1:1", from: "test"),
            clock: SystemClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask { await client.run() }
        }
    }
}
