internal import CoreMetrics
internal import ServerPool
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting
internal import WebSocketClient

@testable internal import SpeechSynthesis
@testable internal import VoiceServer

/// The remote voice with several real servers at the other end, of which one goes.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PooledSynthesizerTests {
    private static let text = "One two three four five six."

    private struct Stage {
        var voice: RemoteSynthesizer
        var pool: ServerPool
    }

    /// A voice on servers at these ports, of which the first is chosen first.
    private static func stage(
        _ ports: [Int],
        voice: String? = nil,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> Stage {
        let addresses = try ports.map { try RemoteSynthesizer.address("ws://127.0.0.1:\($0)", from: "test") }
        let pool = ServerPool(
            "tts",
            addresses.map { .init(name: "\($0)", health: $0.healthURL) },
            seed: 1,
            factory: NOOPMetricsHandler.instance
        )
        let voice = try await RemoteSynthesizer.connect(to: addresses, pool: pool, voice: voice, warn: warn)
        return Stage(voice: voice, pool: pool)
    }

    @Test func `a server that dies in the middle of a clause is gone on for by another, from the next word`()
        async throws
    {
        let (first, second) = (CountingSynthesizer(), CountingSynthesizer())
        try await SynthesisTestServer.run(second) { b in
            var chunks: [SpeechChunk] = []
            var rest: AsyncThrowingStream<SpeechChunk, any Error>.AsyncIterator?
            try await SynthesisTestServer.run(first) { a in
                let stage = try await Self.stage([a, b])
                let busy = stage.pool.lease(except: [0])
                // "One two th" is 10 bytes: two words and a half.
                first.hold(afterChunks: 5)
                var speech = stage.voice.speak(Self.text).makeAsyncIterator()
                while chunks.flatMap(\.samples).count < 10 * 160 {
                    chunks.append(try #require(try await speech.next()))
                }
                rest = speech
                withExtendedLifetime(busy) {}
            }
            var speech = try #require(rest)
            while let chunk = try await speech.next() { chunks.append(chunk) }
            #expect(second.record.texts == [" three four five six."])
            #expect(chunks.flatMap(\.samples).count == (10 + 21) * 160)
            let words = chunks.flatMap(\.words)
            #expect(words.map(\.textEnd) == [3, 7, 13, 18, 23, 28])
            // The word that broke is begun again, behind what was heard of it.
            #expect(words.map(\.sampleEnd) == [3, 7, 10 + 6, 10 + 11, 10 + 16, 10 + 21].map { $0 * 160 })
        }
    }

    @Test func `a voice that fails before its first sound is no loss at all`() async throws {
        let (first, second) = (CountingSynthesizer(), CountingSynthesizer())
        try await SynthesisTestServer.run(first) { a in
            try await SynthesisTestServer.run(second) { b in
                let stage = try await Self.stage([a, b])
                let busy = stage.pool.lease(except: [0])
                first.failNext(VoiceError(.fault, "hoarse"))
                let chunks = try await Self.all(stage.voice.speak(Self.text))
                #expect(chunks.flatMap(\.samples).count == Self.text.utf8.count * 160)
                #expect(first.record.texts == [Self.text] && second.record.texts == [Self.text])
                withExtendedLifetime(busy) {}
            }
        }
    }

    @Test func `a server that went while nobody spoke is not noticed`() async throws {
        let (first, second) = (CountingSynthesizer(), CountingSynthesizer())
        try await SynthesisTestServer.run(second) { b in
            var stage: Stage?
            try await SynthesisTestServer.run(first) { a in
                stage = try await Self.stage([a, b])
                _ = try await Self.all(#require(stage).voice.speak("One."))
            }
            let found = try #require(stage)
            for _ in 0..<4 {
                let chunks = try await Self.all(found.voice.speak("One."))
                #expect(chunks.flatMap(\.samples).count == 640)
            }
        }
    }

    @Test func `a server that comes later is used, after it showed that it has the voice`() async throws {
        let (first, second) = (CountingSynthesizer(), CountingSynthesizer())
        var free = 0
        try await SynthesisTestServer.run(first) { free = $0 }
        let port = free
        let warnings = Mutex<[String]>([])
        try await SynthesisTestServer.run(second) { b in
            let stage = try await Self.stage([port, b]) { text in warnings.withLock { $0.append(text) } }
            let said = warnings.withLock { $0 }
            #expect(said.count == 1 && said.first?.contains("127.0.0.1:\(port)") == true)
            try await SynthesisTestServer.run(first) {
                $0.port = port
            } _: { _ in
                let busy = stage.pool.lease(except: [0])
                _ = try await Self.all(stage.voice.speak("One."))
                #expect(first.record.texts == ["One."])
                withExtendedLifetime(busy) {}
            }
        }
    }

    @Test func `one that lacks the voice, or speaks at another rate, is left out with a warning`() async throws {
        let (first, second, third) = (
            CountingSynthesizer(), CountingSynthesizer(), CountingSynthesizer(sampleRate: .wideband)
        )
        let warnings = Mutex<[String]>([])
        try await SynthesisTestServer.run(first) { a in
            try await SynthesisTestServer.run(second, aliases: ["three": "one"]) { b in
                try await SynthesisTestServer.run(third, aliases: ["three": "one"]) { c in
                    let stage = try await Self.stage([a, b, c], voice: "three") { text in
                        warnings.withLock { $0.append(text) }
                    }
                    #expect(stage.voice.sampleRate == .speech)
                    for _ in 0..<6 { _ = try await Self.all(stage.voice.speak("One.")) }
                    #expect(first.record.texts.isEmpty && third.record.texts.isEmpty)
                    #expect(second.record.texts.count == 6)
                    let said = warnings.withLock { $0 }
                    #expect(said.count == 2)
                    #expect(said.contains { $0.contains("there is no voice 'three'") })
                    #expect(said.contains { $0.contains("speaks at 48000 Hz, not at 16000") }, "\(said)")
                }
            }
        }
    }

    @Test func `one without room is passed over`() async throws {
        let (first, second) = (CountingSynthesizer(), CountingSynthesizer())
        try await SynthesisTestServer.run(first) {
            $0.maxSessions = 1
        } _: { a in
            try await SynthesisTestServer.run(second) { b in
                // The connection that is kept is the first server's only session.
                let stage = try await Self.stage([a, b])
                let busy = stage.pool.lease(except: [0])
                first.hold()
                var held = stage.voice.speak("One.").makeAsyncIterator()
                async let one = held.next()
                await first.wait { $0.openStreams == 1 }
                let chunks = try await Self.all(stage.voice.speak("Two."))
                #expect(chunks.flatMap(\.samples).count == 640)
                #expect(second.record.texts == ["Two."])
                #expect(stage.pool.states == [.full, .healthy])
                first.release()
                _ = try await one
                withExtendedLifetime(busy) {}
            }
        }
    }

    @Test func `when all are gone a clause fails, and is spoken again once one is back`() async throws {
        let first = CountingSynthesizer()
        var ports: [Int] = []
        var stage: Stage?
        try await SynthesisTestServer.run(first) { a in
            try await SynthesisTestServer.run(CountingSynthesizer()) { b in
                ports = [a, b]
                stage = try await Self.stage([a, b])
            }
        }
        let found = try #require(stage)
        let error = await #expect(throws: VoiceError.self) { try await Self.all(found.voice.speak("One.")) }
        #expect(error?.code == .unavailable)
        let port = ports[0]
        try await SynthesisTestServer.run(first) {
            $0.port = port
        } _: { _ in
            let chunks = try await Self.all(found.voice.speak("One."))
            #expect(chunks.flatMap(\.samples).count == 640)
        }
    }

    private static func all(_ speech: AsyncThrowingStream<SpeechChunk, any Error>) async throws -> [SpeechChunk] {
        var chunks: [SpeechChunk] = []
        for try await chunk in speech { chunks.append(chunk) }
        return chunks
    }
}
