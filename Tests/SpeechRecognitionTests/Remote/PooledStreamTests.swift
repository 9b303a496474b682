internal import CoreMetrics
internal import NIOSSL
internal import ServerPool
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import WebSocketClient

@testable internal import SpeechRecognition

/// Streams on several servers on loopback that fail as they are told to.
@Suite(.timeLimit(.minutes(5))) struct PooledStreamTests {
    typealias Server = ScriptedSpeechServer

    private static let tone = (0..<1_600).map { $0.isMultiple(of: 2) ? Float(0.5) : -0.5 }

    /// A recogniser on two scripted servers, of which the first is chosen first.
    private static func run(
        _ first: @escaping Server.Script,
        _ second: @escaping Server.Script = Server.counting,
        clock: any SessionClock = ManualClock(),
        warn: @escaping @Sendable (String) -> Void = { _ in },
        _ body: (RemoteRecognizer, ServerPool, _ logs: [Server.Log]) async throws -> Void
    ) async throws {
        try await Server.run(first) { a, firstLog in
            try await Server.run(second) { b, secondLog in
                let addresses = try [a, b].map { try ServerAddress("ws://127.0.0.1:\($0)", from: "test") }
                let pool = ServerPool(
                    "asr",
                    addresses.map { .init(name: "\($0)", health: $0.healthURL) },
                    clock: clock,
                    seed: 1,
                    factory: NOOPMetricsHandler.instance
                )
                let recognizer = try RemoteRecognizer(
                    addresses,
                    pool: pool,
                    limits: .pool(of: 2),
                    clock: clock,
                    roots: .default,
                    warn: warn
                )
                let busy = pool.lease(except: [0])
                try await body(recognizer, pool, [firstLog, secondLog])
                withExtendedLifetime(busy) {}
            }
        }
    }

    @Test func `a server that dies in the middle of an utterance loses none of it`() async throws {
        try await Self.run({ moment in
            moment.samples >= 3_200 ? [.cut] : Server.counting(moment)
        }) { recognizer, pool, logs in
            let stream = try await recognizer.openStream()
            for _ in 0..<3 { _ = try await stream.feed(Self.tone) }
            #expect(try await stream.finish() == Transcript(text: "4800 samples", isFinal: true))
            #expect(logs[0].connections.count == 1 && logs[1].connections.count == 1)
            #expect(pool.states[0] == .suspect)
            // It stays where it is.
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            #expect(logs[1].connections.count == 1)
        }
    }

    @Test(arguments: [
        Server.Reply.cut, .close(1011, "out of memory"), .say("<html>"), .say(#"{"type":"error","message":"no GPU"}"#),
    ])
    func `one that fails while its final transcript is waited for is replaced`(reply: Server.Reply) async throws {
        try await Self.run({ moment in
            if case .text = moment.heard { return [reply] }
            return Server.counting(moment)
        }) { recognizer, _, _ in
            let stream = try await recognizer.openStream()
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish().text == "1600 samples")
        }
    }

    @Test func `one that dies between two utterances is not missed`() async throws {
        try await Self.run({ moment in
            if case .text = moment.heard { return Server.counting(moment) + [.close(1001, "bye")] }
            return Server.counting(moment)
        }) { recognizer, pool, logs in
            let stream = try await recognizer.openStream()
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish().text == "1600 samples")
            while logs[0].connections.first?.last != .gone { await Task.yield() }
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            #expect(pool.states == [.healthy, .healthy])
        }
    }

    @Test func `one without room is passed over, and left alone for a while`() async throws {
        try await Self.run({ _ in [.close(1013, "no room for one more stream")] }) { recognizer, pool, logs in
            let stream = try await recognizer.openStream()
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            #expect(pool.states == [.full, .healthy])
            _ = try await recognizer.openStream()
            #expect(logs[0].connections.count == 1)
        }
    }

    @Test func `one that does not know the options is left out with a warning`() async throws {
        let warnings = Mutex<[String]>([])
        let script: Server.Script = { moment in
            guard case .text(let text) = moment.heard, text.contains("config") else { return Server.counting(moment) }
            return [.say(#"{"type":"error","message":"there is no language 'de'"}"#)]
        }
        let second: Server.Script = { moment in
            guard case .text(let text) = moment.heard, text.contains("config") else { return Server.counting(moment) }
            return [.say(#"{"type":"configured"}"#)]
        }
        try await Self.run(script, second, warn: { text in warnings.withLock { $0.append(text) } }) {
            recognizer,
            _,
            logs in
            for _ in 0..<3 {
                let stream = try await recognizer.openStream(RecognitionOptions(language: "de"))
                _ = try await stream.feed([0, 0])
                #expect(try await stream.finish().text == "2 samples")
            }
            #expect(logs[0].connections.count == 1)
            let said = warnings.withLock { $0 }
            #expect(said.count == 1 && said.first?.contains("there is no language 'de'") == true)
        }
    }

    @Test func `when all fail once the utterance waits a little, and is heard after all`() async throws {
        let script: Server.Script = { moment in
            if moment.connection == 0, case .audio = moment.heard { return [.cut] }
            return Server.counting(moment)
        }
        try await Self.run(script, script, clock: SystemClock()) { recognizer, _, logs in
            let stream = try await recognizer.openStream()
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish().text == "1600 samples")
            #expect(logs.map(\.connections.count).reduce(0, +) == 3)
        }
    }

    @Test func `when all fail for good the utterance fails, once`() async throws {
        let script: Server.Script = { moment in
            if case .audio = moment.heard { return [.cut] }
            return Server.counting(moment)
        }
        try await Self.run(script, script, clock: SystemClock()) { recognizer, _, _ in
            let stream = try await recognizer.openStream()
            let error = await #expect(throws: VoiceError.self) {
                _ = try await stream.feed(Self.tone)
                _ = try await stream.finish()
            }
            #expect(error?.code == .unavailable)
            #expect(try await stream.finish().text == "")
        }
    }

    @Test func `without any server a session does not begin, and it is said which`() async throws {
        var ports: [Int] = []
        try await Server.run { port, _ in ports.append(port) }
        try await Server.run { port, _ in ports.append(port) }
        let addresses = try ports.map { try ServerAddress("ws://127.0.0.1:\($0)", from: "test") }
        let pool = ServerPool("asr", addresses.map { .init(name: "\($0)", health: $0.healthURL) })
        let recognizer = try RemoteRecognizer(addresses, pool: pool)
        let error = await #expect(throws: VoiceError.self) { try await recognizer.openStream() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("no speech server is there") == true, "\(String(describing: error))")
        #expect(error?.message.contains("\(addresses[1])") == true)
    }

    @Test func `one that hangs is found by its check, and the final transcript comes from another`() async throws {
        let hung: Server.Script = { moment in
            if case .text = moment.heard { return [] }
            return Server.counting(moment)
        }
        try await Server.run(hung) { a, _ in
            try await Server.run { b, _ in
                let addresses = try [a, b].map { try ServerAddress("ws://127.0.0.1:\($0)", from: "test") }
                // Nobody answers the first one's check: the scripted server knows no such page, and the port of the check none at all.
                let pool = ServerPool(
                    "asr",
                    [
                        .init(name: "a", health: "http://127.0.0.1:9/health"),
                        .init(name: "b", health: addresses[1].healthURL),
                    ]
                )
                var limits = RemoteLimits.pool(of: 2)
                limits.final = .seconds(60)
                let recognizer = try RemoteRecognizer(
                    addresses,
                    pool: pool,
                    limits: limits,
                    clock: SystemClock(),
                    roots: .default
                )
                let busy = pool.lease(except: [0])
                let stream = try await recognizer.openStream()
                _ = try await stream.feed(Self.tone)
                let clock = SystemClock()
                async let _ = pool.run()
                #expect(try await stream.finish().text == "1600 samples")
                // Long before the deadline.
                #expect(clock.now < .seconds(30))
                withExtendedLifetime(busy) {}
            }
        }
    }
}
