internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Testing
internal import VoiceCore
internal import VoiceTesting
internal import WebSocketClient

@testable internal import SpeechRecognition

@Suite(.serialized) struct RemoteStreamTests {
    typealias Server = ScriptedSpeechServer

    /// A recogniser of a server on loopback. Its time stands still unless a test moves it.
    private static func recognizer(
        _ port: Int,
        path: String = "",
        clock: any SessionClock = ManualClock(),
        limits: RemoteLimits = RemoteLimits()
    ) throws -> RemoteRecognizer {
        try RemoteRecognizer(
            [ServerAddress("ws://127.0.0.1:\(port)\(path)", from: "test")],
            limits: limits,
            clock: clock,
            roots: .default
        )
    }

    private static let tone = (0..<1_600).map { $0.isMultiple(of: 2) ? Float(0.5) : -0.5 }

    /// Feeds nothing until the server has said something.
    private static func partial(_ stream: any RecognizerStream) async throws -> Transcript {
        while true {
            if let transcript = try await stream.feed([]) { return transcript }
            await Task.yield()
        }
    }

    /// Runs `work`, moving the clock by `duration` once somebody sleeps on it.
    private static func late<Value: Sendable>(
        _ clock: ManualClock,
        by duration: Duration,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await work() }
            while clock.sleeperCount == 0 { await Task.yield() }
            clock.advance(by: duration)
            return try #require(try await group.next())
        }
    }

    @Test func `an utterance goes to the server and its transcripts come back`() async throws {
        try await Server.run { port, log in
            let stream = try await Self.recognizer(port).openStream()
            _ = try await stream.feed(Self.tone)
            #expect(try await Self.partial(stream) == Transcript(text: "1600 samples", isFinal: false))
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish() == Transcript(text: "3200 samples", isFinal: true))
            let heard = try #require(log.connections.first)
            #expect(heard.contains(.audio((0..<1_600).map { $0.isMultiple(of: 2) ? 16_384 : -16_384 })))
            #expect(heard.last == .text(Server.hardReset))
            _ = try await stream.feed([0.5, 0.5])
            #expect(try await stream.finish(flushing: .lookahead).text == "2 samples")
            #expect(log.connections.count == 1)
        }
    }

    @Test func `an utterance that is cut in running speech is a soft reset`() async throws {
        let script: Server.Script = { moment in
            guard case .text(let text) = moment.heard else { return Server.counting(moment) }
            return [Server.transcript(text == Server.softReset ? "one two" : "one two three", isFinal: true)]
        }
        try await Server.run(script) { port, log in
            let stream = try await Self.recognizer(port).openStream()
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish(flushing: .none).text == "one two")
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish().text == "three")
            #expect(log.texts == [[Server.softReset, Server.hardReset]])
        }
    }

    @Test func `a dropped utterance leaves nothing to the next one`() async throws {
        try await Server.run { port, _ in
            let stream = try await Self.recognizer(port).openStream()
            _ = try await stream.feed(Self.tone)
            try await stream.reset()
            _ = try await stream.feed([0, 0, 0])
            #expect(try await stream.finish().text == "3 samples")
        }
    }

    @Test func `a server that is never ready is unavailable after five seconds`() async throws {
        let script: Server.Script = { _ in [] }
        try await Server.run(script) { port, _ in
            let clock = ManualClock()
            let recognizer = try Self.recognizer(port, clock: clock)
            let error = await #expect(throws: VoiceError.self) {
                try await Self.late(clock, by: .seconds(5)) { _ = try await recognizer.openStream() }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("ws://127.0.0.1:\(port)") == true)
        }
    }

    @Test func `a server that does not even speak HTTP is unavailable after five seconds`() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let clock = ManualClock()
        let recognizer = try Self.recognizer(try #require(server.localAddress?.port), clock: clock)
        let error = await #expect(throws: VoiceError.self) {
            try await Self.late(clock, by: .seconds(5)) { _ = try await recognizer.openStream() }
        }
        #expect(error?.code == .unavailable)
        try await server.close()
    }

    @Test func `a server that is not there is unavailable at once`() async throws {
        var free = 0
        try await Server.run { port, _ in free = port }
        let recognizer = try Self.recognizer(free)
        let error = await #expect(throws: VoiceError.self) { try await recognizer.openStream() }
        #expect(error?.code == .unavailable)
    }

    @Test func `a path without a WebSocket says so`() async throws {
        try await Server.run { port, _ in
            let recognizer = try Self.recognizer(port, path: "/missing")
            let error = await #expect(throws: VoiceError.self) { try await recognizer.openStream() }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("not with a WebSocket") == true, "\(String(describing: error))")
        }
    }

    @Test(arguments: [
        (Server.Reply.cut, VoiceError.Code.unavailable, "was lost"),
        (.close(1011, "out of memory"), .unavailable, "1011 out of memory"),
        (.say("<html>"), .malformedInput, "<html>"),
        (.sayBinary([1, 2, 3]), .malformedInput, "binary"),
        (.say(#"{"type":"error","message":"no GPU"}"#), .unavailable, "reports: no GPU"),
    ])
    func `a server that goes wrong fails the utterance, and the next one connects anew`(
        reply: Server.Reply,
        code: VoiceError.Code,
        word: String
    ) async throws {
        let script: Server.Script = { moment in
            if moment.connection == 0, case .audio = moment.heard { return [reply] }
            return Server.counting(moment)
        }
        try await Server.run(script) { port, log in
            let stream = try await Self.recognizer(port).openStream()
            let error = await #expect(throws: VoiceError.self) {
                _ = try await stream.feed(Self.tone)
                _ = try await stream.finish()
            }
            #expect(error?.code == code)
            #expect(error?.message.contains(word) == true, "\(String(describing: error))")
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            #expect(log.connections.count == 2)
        }
    }

    @Test func `a final that does not come in two seconds fails, and the session goes on`() async throws {
        let script: Server.Script = { moment in
            if moment.connection == 0, case .text = moment.heard { return [] }
            return Server.counting(moment)
        }
        try await Server.run(script) { port, log in
            let clock = ManualClock()
            let stream = try await Self.recognizer(port, clock: clock).openStream()
            _ = try await stream.feed(Self.tone)
            let error = await #expect(throws: VoiceError.self) {
                try await Self.late(clock, by: .milliseconds(2_100)) { _ = try await stream.finish() }
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("in time") == true)
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            #expect(log.connections.count == 2)
        }
    }

    @Test func `a cancelled final is given up, and the next utterance gets its own`() async throws {
        let script: Server.Script = { moment in
            guard case .text = moment.heard else { return Server.counting(moment) }
            // The first answer comes together with the second.
            return moment.samples == 1_600 ? [] : [Server.transcript("old", isFinal: true)] + Server.counting(moment)
        }
        try await Server.run(script) { port, log in
            let clock = ManualClock()
            let stream = try await Self.recognizer(port, clock: clock).openStream()
            _ = try await stream.feed(Self.tone)
            await withTaskGroup(of: VoiceError?.self) { group in
                group.addTask {
                    do throws(VoiceError) { _ = try await stream.finish() } catch { return error }
                    return nil
                }
                while clock.sleeperCount == 0 { await Task.yield() }
                group.cancelAll()
                #expect(await (group.next() ?? nil)?.code == .cancelled)
            }
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            #expect(log.connections.count == 1)
        }
    }

    @Test func `a ping is answered, also between utterances`() async throws {
        let script: Server.Script = { moment in
            if case .text = moment.heard { return Server.counting(moment) + [.ping] }
            return Server.counting(moment)
        }
        try await Server.run(script) { port, log in
            let stream = try await Self.recognizer(port).openStream()
            _ = try await stream.feed(Self.tone)
            _ = try await stream.finish()
            while log.connections.first?.last != .pong { await Task.yield() }
            withExtendedLifetime(stream) {}
        }
    }

    @Test func `a server that floods is left`() async throws {
        let script: Server.Script = { moment in
            guard moment.connection == 0, case .audio = moment.heard else { return Server.counting(moment) }
            return (0..<2_000).map { Server.transcript("\($0)", isFinal: false) }
        }
        try await Server.run(script) { port, log in
            let stream = try await Self.recognizer(port).openStream()
            _ = try await stream.feed(Self.tone)
            while log.connections.first?.last != .gone { await Task.yield() }
            let error = await #expect(throws: VoiceError.self) { try await stream.finish() }
            #expect(error?.message.contains("256 messages") == true)
        }
    }

    @Test func `the connection ends with the stream`() async throws {
        try await Server.run { port, log in
            do {
                let stream = try await Self.recognizer(port).openStream()
                _ = try await stream.feed(Self.tone)
            }
            while log.connections.first?.last != .gone { await Task.yield() }
        }
    }

    @Test func `streams do not disturb each other`() async throws {
        try await Server.run { port, log in
            let recognizer = try Self.recognizer(port)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for count in 1...8 {
                    group.addTask {
                        let stream = try await recognizer.openStream()
                        for _ in 0..<20 { _ = try await stream.feed([Float](repeating: 0, count: count)) }
                        #expect(try await stream.finish().text == "\(20 * count) samples")
                    }
                }
                try await group.waitForAll()
            }
            #expect(log.connections.count == 8)
        }
    }

    @Test func `a server that knows nothing of options is refused after two seconds`() async throws {
        try await Server.run { port, log in
            let clock = ManualClock()
            let recognizer = try Self.recognizer(port, clock: clock)
            await withTaskGroup(of: VoiceError?.self) { group in
                group.addTask {
                    do throws(VoiceError) {
                        _ = try await recognizer.openStream(RecognitionOptions(language: "de-DE"))
                    } catch {
                        return error
                    }
                    return nil
                }
                while log.texts.first?.isEmpty != false { await Task.yield() }
                clock.advance(by: .seconds(2))
                let error = await group.next() ?? nil
                #expect(error?.code == .usage)
                #expect(error?.message.contains("leave them out") == true)
            }
        }
    }

    @Test func `a server that takes options gets them first`() async throws {
        let script: Server.Script = { moment in
            guard case .text(let text) = moment.heard, text.contains("config") else { return Server.counting(moment) }
            return [.say(#"{"type":"configured","lookahead":1}"#)]
        }
        try await Server.run(script) { port, log in
            let stream = try await Self.recognizer(port).openStream(RecognitionOptions(lookahead: 1))
            _ = try await stream.feed(Self.tone)
            #expect(try await stream.finish().text == "1600 samples")
            #expect(log.texts == [[#"{"lookahead":1,"type":"config"}"#, Server.hardReset]])
        }
    }

    @Test func `over TLS only a trusted certificate will do`() async throws {
        let context = try LoopbackCertificate.serverContext()
        let tls: @Sendable (any Channel) throws -> Void = { channel in
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }
        try await Server.run(initialize: tls) { port, _ in
            let address = try ServerAddress("wss://localhost:\(port)", from: "test")
            let trusting = try RemoteRecognizer(
                [address],
                limits: RemoteLimits(),
                clock: ManualClock(),
                roots: LoopbackCertificate.roots()
            )
            let stream = try await trusting.openStream()
            _ = try await stream.feed([0, 0])
            #expect(try await stream.finish().text == "2 samples")
            let error = await #expect(throws: VoiceError.self) {
                try await RemoteRecognizer(address: address).openStream()
            }
            #expect(error?.code == .unavailable)
        }
    }
}
