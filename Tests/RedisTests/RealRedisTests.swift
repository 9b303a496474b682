internal import Foundation
internal import NIOCore
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Redis

/// Against redis-server itself.
@Suite(.serialized, .enabled(if: RedisServer.isInstalled, "run scripts/bootstrap --tests"), .timeLimit(.minutes(5)))
struct RealRedisTests {
    @Test func `ten thousand commands at once are answered as redis-cli is`() async throws {
        try await RedisServer.run { server in
            let commands = (0..<10_000).map { number in
                switch number % 8 {
                case 0: ["SET", "k\(number % 50)", "v\(number)"]
                case 1: ["GET", "k\(number % 97)"]
                case 2: ["INCRBY", "n\(number % 7)", "\(number)"]
                case 3: ["RPUSH", "l\(number % 11)", "\(number)"]
                case 4: ["LRANGE", "l\(number % 13)", "-3", "-1"]
                case 5: ["INCR", "k\(number % 50)"]
                case 6: ["HSET", "h\(number % 5)", "f\(number % 9)", "\(number)"]
                default: ["HGET", "h\(number % 6)", "f\(number % 10)"]
                }
            }
            let limits = RedisClient.Limits(connect: .seconds(30), command: .seconds(30), commands: 10_000)
            let ours = try await withClient("redis://127.0.0.1:\(server.port)/1", limits: limits) { client in
                try await withThrowingTaskGroup(of: (Int, RESPValue).self) { group in
                    // One task each, begun in order: so they are sent in order, as those of one task would be.
                    for (number, words) in commands.enumerated() {
                        group.addImmediateTask { (number, try await client.send(words)) }
                    }
                    return try await group.reduce(into: [Int: RESPValue]()) { $0[$1.0] = $1.1 }
                }
            }
            let input = commands.map { $0.joined(separator: " ") }.joined(separator: "\n") + "\n"
            let theirs = try server.ask(["-n", "2"], input: input)
            let shown = commands.indices.flatMap { Self.lines(ours[$0] ?? .null) }
            #expect(shown == theirs)
        }
    }

    /// What redis-cli prints into a pipe.
    private static func lines(_ value: RESPValue) -> [String] {
        switch value {
        case .text(let text): [text]
        case .failure(let text): [text, ""]
        case .number(let number): ["\(number)"]
        case .bytes(let bytes): [String(decoding: bytes, as: UTF8.self)]
        case .null: [""]
        case .list(let elements): elements.isEmpty ? [""] : elements.flatMap(lines)
        }
    }

    @Test func `any bytes come back, and large values`() async throws {
        try await RedisServer.run { server in
            try await withClient("redis://127.0.0.1:\(server.port)") { client in
                let odd = "\r\n$5\r\n\u{0}é🎙\"'"
                let echo = try await client.send(["ECHO", odd]).string
                #expect(echo == odd)
                let large = String(repeating: "x", count: 8 << 20)
                let replies = (
                    try await client.send(["SET", "large", large]), try await client.send(["GET", "large"]).string
                )
                #expect(replies.0 == .text("OK") && replies.1 == large)
            }
        }
    }

    @Test func `a reply that is too large ends the connection and not the client`() async throws {
        try await RedisServer.run { server in
            let limits = RedisClient.Limits(
                connect: .seconds(10),
                command: .seconds(10),
                reply: .init(bytes: 10_000, values: 100, depth: 4)
            )
            try await withClient("redis://127.0.0.1:\(server.port)", limits: limits) { client in
                _ = try await client.send(["SET", "large", String(repeating: "x", count: 20_000)])
                let error = await failure { () async throws(VoiceError) in try await client.send(["GET", "large"]) }
                #expect(error?.message.contains("more than 10000 bytes") == true)
                try await eventually("a reply") { (try? await client.send(["STRLEN", "large"])) == .number(20_000) }
            }
        }
    }

    @Test func `passwords open, and wrong ones do not`() async throws {
        try await RedisServer.run({ _ in
            ["--requirepass", "secret", "--user", "worker", "on", ">pass word", "~*", "+@all"]
        }) { server in
            let place = "127.0.0.1:\(server.port)"
            for login in [":secret@", "secret@", "worker:pass%20word@"] {
                let reply = try await withClient("redis://\(login)\(place)/2") { client in
                    try await client.send(["SET", "a", login])
                }
                #expect(reply == .text("OK"))
            }
            #expect(
                try server.ask(["-a", "secret", "--no-auth-warning", "-n", "2", "GET", "a"]) == ["worker:pass%20word@"]
            )
            for (login, words) in [(":wrong@", "WRONGPASS"), ("worker:wrong@", "WRONGPASS"), ("", "NOAUTH")] {
                let error = try await withClient("redis://\(login)\(place)") { client in
                    await failure { () async throws(VoiceError) in try await client.send(["GET", "a"]) }
                }
                #expect(error?.code == .unavailable)
                #expect(error?.message.contains(words) == true)
                #expect(error?.message.contains("wrong@") == false)
            }
        }
    }

    @Test func `a database that is not there is said so`() async throws {
        try await RedisServer.run { server in
            let error = try await withClient("redis://127.0.0.1:\(server.port)/99") { client in
                await failure { () async throws(VoiceError) in try await client.send(["PING"]) }
            }
            #expect(error?.message.contains("DB index is out of range") == true)
        }
    }

    @Test func `TLS is spoken with who has the right certificate, and with nobody else`() async throws {
        let securePort = try await freePort()
        try await RedisServer.run({ folder in
            let (certificate, key) = (folder.appending(path: "tls.crt"), folder.appending(path: "tls.key"))
            try LoopbackCertificate.certificate.write(to: certificate, atomically: true, encoding: .utf8)
            try LoopbackCertificate.key.write(to: key, atomically: true, encoding: .utf8)
            return [
                "--tls-port", "\(securePort)", "--tls-cert-file", certificate.path, "--tls-key-file", key.path,
                "--tls-auth-clients", "no",
            ]
        }) { server in
            for host in ["127.0.0.1", "localhost"] {
                let reply = try await withClient("rediss://\(host):\(securePort)") { try await $0.send(["ECHO", "a"]) }
                #expect(reply.string == "a")
            }
            // Without TLS at a port with it, and the other way round.
            for address in ["redis://127.0.0.1:\(securePort)", "rediss://127.0.0.1:\(server.port)"] {
                let limits = RedisClient.Limits(connect: .seconds(2), command: .seconds(2))
                let error = try await withClient(address, limits: limits) { client in
                    await failure { () async throws(VoiceError) in try await client.send(["PING"]) }
                }
                #expect(error?.code == .unavailable)
            }
        }
    }

    @Test func `a script runs under the hash that Redis gives it`() async throws {
        try await RedisServer.run { server in
            let script = RedisScript("return {KEYS[1], ARGV[1], 3, {4}, false}")
            try await withClient("redis://127.0.0.1:\(server.port)") { client in
                let expected = RESPValue.list([
                    .bytes(Array("k".utf8)), .bytes(Array("a".utf8)), .number(3), .list([.number(4)]), .null,
                ])
                for _ in 0..<2 {
                    #expect(try await client.run(script, keys: ["k"], arguments: ["a"]) == expected)
                }
                _ = try await client.send(["SCRIPT", "FLUSH"])
                #expect(try await client.run(script, keys: ["k"], arguments: ["a"]) == expected)
                for length in [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 1000] {
                    let text = "return '\(String(repeating: "z", count: length))'"
                    #expect(try await client.send(["SCRIPT", "LOAD", text]).string == RedisScript(text).digest)
                }
            }
        }
    }

    @Test func `a server that hangs for a while, and one that is started again, are used again`() async throws {
        try await RedisServer.run { server in
            let limits = RedisClient.Limits(connect: .milliseconds(300), command: .milliseconds(300))
            try await withClient("redis://127.0.0.1:\(server.port)", limits: limits) { client in
                try await eventually("ready") { client.isReady }
                server.pause()
                let began = ContinuousClock.now
                let error = await failure { () async throws(VoiceError) in try await client.send(["SET", "a", "1"]) }
                #expect(error?.code == .unavailable)
                #expect(ContinuousClock.now - began < .seconds(5))
                server.resume()
                try await eventually("a reply") { (try? await client.send(["ECHO", "a"]))?.string == "a" }
                server.kill()
                try await eventually("the end is noticed") { !client.isReady }
                try server.start()
                try await eventually("a reply") { (try? await client.send(["DBSIZE"])) == .number(0) }
            }
        }
    }
}
