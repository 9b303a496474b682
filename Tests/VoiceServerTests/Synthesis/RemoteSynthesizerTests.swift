internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechSynthesis
@testable internal import VoiceServer

/// The remote voice with the real server at the other end.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RemoteSynthesizerTests {
    @Test func `a text is spoken as the server's voice speaks it, words and all`() async throws {
        let voice = CountingSynthesizer(sampleRate: SampleRate(22_050))
        try await SynthesisTestServer.run(voice) { port in
            let remote = try await Self.remote(port)
            #expect(remote.sampleRate == SampleRate(22_050))
            for text in ["One two three.", "Three.", "日本語です。"] {
                let chunks = try await Self.all(remote.speak(text))
                let expected = try await Self.all(voice.speak(text))
                #expect(chunks.flatMap(\.samples) == expected.flatMap(\.samples))
                #expect(chunks.flatMap(\.words) == expected.flatMap(\.words))
            }
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains(#"voice_tts_sessions_total{kind="websocket"} 1"#)
            }
        }
    }

    @Test func `words come no later than the audio in which they end`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            let remote = try await Self.remote(port)
            var samples = 0
            for try await chunk in remote.speak("a bc def ghij") {
                samples += chunk.samples.count
                #expect(chunk.words.allSatisfy { $0.sampleEnd <= samples })
            }
            #expect(samples == 13 * 160)
        }
    }

    @Test func `a text that is dropped is cancelled on the server, and the next one is whole`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            let remote = try await Self.remote(port)
            for round in 1...3 {
                for try await chunk in remote.speak(String(repeating: "abcdefghi ", count: 6_000)) {
                    if !chunk.samples.isEmpty { break }
                }
                await voice.wait { $0.openStreams == 0 }
                let samples = try await Self.all(remote.speak("Next.")).flatMap(\.samples)
                #expect(samples.count == 5 * 160, "round \(round)")
            }
            // All of that over one connection.
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains(#"voice_tts_sessions_total{kind="websocket"} 1"#)
            }
        }
    }

    @Test func `a consumer that is slow holds the server's voice up`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            let remote = try await Self.remote(port)
            let text = String(repeating: "abcdefghi ", count: 6_000)
            var samples = 0
            var most = 0
            for try await chunk in remote.speak(text) {
                samples += chunk.samples.count
                most = max(most, voice.record.chunks * 320 - samples)
            }
            #expect(samples == text.utf8.count * 160)
            // 256 messages of 20 ms, half a second at the server, and what kernels hold, of ten minutes.
            #expect(most < 4_000_000)
        }
    }

    @Test func `several texts at once have a connection each`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            let remote = try await Self.remote(port)
            try await withThrowingTaskGroup { group in
                for length in 1...6 {
                    group.addTask {
                        let text = String(repeating: "a", count: 50 * length)
                        let chunks = try await Self.all(remote.speak(text))
                        #expect(chunks.flatMap(\.samples).count == 8_000 * length)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a server that was restarted is found again`() async throws {
        var port = 0
        var remote: RemoteSynthesizer?
        try await SynthesisTestServer.run(CountingSynthesizer()) { number in
            port = number
            remote = try await Self.remote(number)
        }
        let found = try #require(remote)
        let error = await #expect(throws: VoiceError.self) { try await Self.all(found.speak("One.")) }
        #expect(error?.code == .unavailable)
        let again = port
        try await SynthesisTestServer.run(CountingSynthesizer()) {
            $0.port = again
        } _: { _ in
            let chunks = try await Self.all(found.speak("One."))
            #expect(chunks.flatMap(\.samples).count == 640)
        }
    }

    @Test func `another rate after a restart is converted`() async throws {
        var port = 0
        var remote: RemoteSynthesizer?
        try await SynthesisTestServer.run(CountingSynthesizer()) { number in
            port = number
            remote = try await Self.remote(number)
        }
        let found = try #require(remote)
        let again = port
        try await SynthesisTestServer.run(CountingSynthesizer(sampleRate: .wideband)) {
            $0.port = again
        } _: { _ in
            let chunks = try await Self.all(found.speak("One."))
            #expect(chunks.flatMap(\.samples).count == 640)
            #expect(chunks.flatMap(\.words) == [SpokenWord(textEnd: 4, sampleEnd: 640)])
        }
    }

    @Test func `a failure of the server's voice is told, and the next text is spoken`() async throws {
        let voice = CountingSynthesizer()
        try await SynthesisTestServer.run(voice) { port in
            let remote = try await Self.remote(port)
            voice.failNext(VoiceError(.fault, "hoarse"))
            let error = await #expect(throws: VoiceError.self) { try await Self.all(remote.speak("One.")) }
            #expect(error?.message.contains("reports: hoarse") == true)
            let chunks = try await Self.all(remote.speak("One."))
            #expect(chunks.flatMap(\.samples).count == 640)
        }
    }

    @Test func `a voice that the server lacks is bad usage, one that it has speaks`() async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            let address = try RemoteSynthesizer.address("http://127.0.0.1:\(port)", from: "test")
            let error = await #expect(throws: VoiceError.self) {
                try await RemoteSynthesizer.connect(to: [address], voice: "nobody")
            }
            #expect(error?.code == .usage)
            #expect(error?.message.contains("there is no voice 'nobody', only one, two") == true)
            let remote = try await RemoteSynthesizer.connect(to: [address], voice: "two")
            #expect(remote.sampleRate == .wideband)
            #expect(remote.name == "remote ws://127.0.0.1:\(port) two")
        }
    }

    @Test(arguments: ["…", " ", "", "🎉🎉"])
    func `a text without anything to say is silent`(text: String) async throws {
        try await SynthesisTestServer.run(CountingSynthesizer()) { port in
            let chunks = try await Self.all(Self.remote(port).speak(text))
            #expect(chunks.isEmpty)
        }
    }

    @Test func `a server that is not there is unavailable at once`() async throws {
        var port = 0
        try await SynthesisTestServer.run(CountingSynthesizer()) { port = $0 }
        let free = port
        let error = await #expect(throws: VoiceError.self) { try await Self.remote(free) }
        #expect(error?.code == .unavailable)
    }

    private static func remote(_ port: Int) async throws -> RemoteSynthesizer {
        let address = try RemoteSynthesizer.address("ws://127.0.0.1:\(port)", from: "test")
        return try await RemoteSynthesizer.connect(to: [address])
    }

    private static func all(_ speech: AsyncThrowingStream<SpeechChunk, any Error>) async throws -> [SpeechChunk] {
        var chunks: [SpeechChunk] = []
        for try await chunk in speech { chunks.append(chunk) }
        return chunks
    }
}
