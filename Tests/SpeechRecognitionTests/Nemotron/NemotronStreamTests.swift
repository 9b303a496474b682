internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

/// What must hold for any model, whatever its weights: here the tiny random one.
@Suite struct NemotronStreamTests {
    private static func recognizer(streams: Int = 4, lookahead: Int = 1) async throws -> NemotronRecognizer {
        try await NemotronRecognizer(
            path: Golden.path("nemotron-tiny-f32.gguf"),
            configuration: NemotronRecognizer.Configuration(streams: streams, lookahead: lookahead, threads: 1)
        )
    }

    private func transcript(
        of audio: [Float],
        in packets: Int,
        _ stream: any RecognizerStream,
        flushing flush: RecognitionFlush = .lookahead
    ) async throws -> Transcript {
        for start in stride(from: 0, to: audio.count, by: packets) {
            _ = try await stream.feed(Array(audio[start..<min(audio.count, start + packets)]))
        }
        return try await stream.finish(flushing: flush)
    }

    @Test(arguments: [1, 7, 320, 16_000, 100_000], [RecognitionFlush.lookahead, .none])
    func `packets of any size give the same transcript`(packets: Int, flush: RecognitionFlush) async throws {
        let recognizer = try await Self.recognizer()
        // Large packets make several chunks in one step, which sums in another order: same words, times and certainty.
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 1280, recognizer.openStream(), flushing: flush)
        let actual = try await transcript(of: audio, in: packets, recognizer.openStream(), flushing: flush)
        #expect(!expected.text.isEmpty)
        #expect(actual.text == expected.text)
        #expect(actual.words.map(\.start) == expected.words.map(\.start))
        for (a, b) in zip(actual.words, expected.words) { #expect(abs(a.confidence - b.confidence) < 1e-4) }
    }

    @Test func `small packets are exact to the bit`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        for packets in [1, 7, 999, 2560] {
            #expect(try await transcript(of: audio, in: packets, recognizer.openStream()) == expected)
        }
    }

    @Test func `streams that step together equal a stream alone`() async throws {
        let recognizer = try await Self.recognizer(streams: 5)
        let audio = try Golden("nemotron-golden").audio()
        let alone = try await transcript(of: audio, in: 2560, recognizer.openStream())
        let together = try await withThrowingTaskGroup(of: Transcript.self) { group in
            for _ in 0..<5 {
                group.addTask { try await self.transcript(of: audio, in: 2560, recognizer.openStream()) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(together.count == 5)
        for transcript in together { #expect(transcript.text == alone.text) }
    }

    @Test func `a stream after a reset equals a fresh one`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        let stream = try await recognizer.openStream()
        _ = try await transcript(of: Array(audio.reversed()), in: 500, stream)
        _ = try await stream.feed(Array(audio.prefix(5000)))
        try await stream.reset()
        #expect(try await transcript(of: audio, in: 320, stream) == expected)
    }

    @Test func `a slot that another stream used equals a fresh one`() async throws {
        let recognizer = try await Self.recognizer(streams: 1)
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        for _ in 0..<4 {
            let actual = try await transcript(of: audio, in: 320, recognizer.openStream())
            #expect(actual == expected)
        }
    }

    @Test func `a fork that is finished leaves its stream alone`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        let stream = try await recognizer.openForkableStream()
        for (index, start) in stride(from: 0, to: audio.count, by: 320).enumerated() {
            _ = try await stream.feed(Array(audio[start..<min(audio.count, start + 320)]))
            if index % 17 == 5 { _ = try await stream.fork().finish() }
        }
        #expect(try await stream.finish() == expected)
    }

    @Test func `a draft is what the final transcript would be, and leaves no trace`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        let stream = try await recognizer.openStream()
        for (index, start) in stride(from: 0, to: audio.count, by: 320).enumerated() {
            _ = try await stream.feed(Array(audio[start..<min(audio.count, start + 320)]))
            guard index % 23 == 7 else { continue }
            let heard = Array(audio.prefix(min(audio.count, start + 320)))
            #expect(try await stream.draft() == transcript(of: heard, in: 320, recognizer.openStream()))
        }
        #expect(try await stream.draft() == expected)
        #expect(try await stream.finish() == expected)
    }

    @Test func `a fork goes on like its stream would have`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        let stream = try await recognizer.openForkableStream()
        _ = try await stream.feed(Array(audio.prefix(20_000)))
        let fork = try await stream.fork()
        _ = try await stream.feed([Float](repeating: 0.3, count: 30_000))
        let continued = try await transcript(of: Array(audio.dropFirst(20_000)), in: 320, fork)
        #expect(continued.text == expected.text)
    }

    @Test func `what a final transcript has heard is not heard again`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let stream = try await recognizer.openStream()
        var heard = Duration.zero
        for start in stride(from: 0, to: audio.count - 9000, by: 9000) {
            let transcript = try await transcript(of: Array(audio[start..<(start + 9000)]), in: 700, stream)
            // Frames of 80 ms: a word may begin in the one that the cut went through.
            for word in transcript.words { #expect(word.start >= heard - .milliseconds(80)) }
            heard = SampleRate.speech.duration(ofSamples: start + 9000)
        }
    }

    @Test(arguments: [0, 1, 100, 384, 1279, 1280, 1281, 2759, 2760, 2761], [RecognitionFlush.lookahead, .none])
    func `audio of any length has a final transcript`(samples: Int, flush: RecognitionFlush) async throws {
        let recognizer = try await Self.recognizer()
        let stream = try await recognizer.openStream()
        let audio = Array(try Golden("nemotron-golden").audio().prefix(samples))
        let transcript = try await transcript(of: audio, in: 320, stream, flushing: flush)
        #expect(transcript.isFinal)
        if samples == 0 { #expect(transcript == Transcript(text: "", isFinal: true)) }
        let whole = try await self.transcript(of: audio, in: 4000, recognizer.openStream(), flushing: flush)
        #expect(transcript == whole)
    }

    @Test func `partial transcripts only grow, and their stable part stays`() async throws {
        let stream = try await Self.recognizer().openStream()
        let audio = try Golden("nemotron-golden").audio()
        var stable = ""
        var partials = 0
        for start in stride(from: 0, to: audio.count, by: 640) {
            guard let partial = try await stream.feed(Array(audio[start..<min(audio.count, start + 640)])) else {
                continue
            }
            partials += 1
            #expect(partial.text.hasPrefix(stable))
            stable = String(decoding: Array(partial.text.utf8.prefix(partial.stableLength)), as: UTF8.self)
        }
        #expect(partials >= 4)
        #expect(try await stream.finish().text.hasPrefix(stable))
    }

    @Test func `samples that are not numbers are silence`() async throws {
        let recognizer = try await Self.recognizer()
        var audio = Array(try Golden("nemotron-golden").audio().prefix(16_000))
        for index in 4000..<4100 { audio[index] = 0 }
        let expected = try await transcript(of: audio, in: 320, recognizer.openStream())
        for index in 4000..<4100 { audio[index] = index % 2 == 0 ? .nan : .infinity }
        #expect(try await transcript(of: audio, in: 320, recognizer.openStream()) == expected)
    }

    @Test func `an hour of digital silence is nothing special, and nothing grows`() async throws {
        let recognizer = try await Self.recognizer(lookahead: 13)
        let stream = try await recognizer.openStream()
        let second = [Float](repeating: 0, count: 160_000)
        for _ in 0..<360 { _ = try await stream.feed(second) }
        let transcript = try await stream.finish()
        #expect(transcript.isFinal)
        let actor = try #require(stream as? NemotronStream)
        let held = await actor.heldValues
        #expect(held < 8 * 14 * 128 + 1000)
    }

    @Test func `streams beyond the limit are refused, and a closed one makes room`() async throws {
        let recognizer = try await Self.recognizer(streams: 1)
        var stream: (any RecognizerStream)? = try await recognizer.openStream()
        let error = await #expect(throws: VoiceError.self) { _ = try await recognizer.openStream() }
        #expect(error?.code == .exhausted)
        _ = try await stream?.finish()
        stream = nil
        _ = try await recognizer.openStream()
    }

    @Test func `options that the model does not offer are refused with the choices`() async throws {
        let recognizer = try await Self.recognizer()
        for options in [
            RecognitionOptions(lookahead: 2), RecognitionOptions(language: "fr-FR"),
            RecognitionOptions(phrases: ["日本"]), RecognitionOptions(phrases: ["a"], phraseBoost: -1),
        ] {
            let error = await #expect(throws: VoiceError.self) { _ = try await recognizer.openStream(options) }
            #expect(error?.code == .usage)
        }
        let lookaheads = recognizer.lookaheads
        #expect(lookaheads == [0, 1, 3, 6, 13])
        for lookahead in lookaheads {
            let stream = try await recognizer.openStream(RecognitionOptions(lookahead: lookahead))
            #expect(try await transcript(of: Golden("nemotron-golden").audio(), in: 999, stream).isFinal)
        }
    }

    @Test func `a cancelled call stops, and the audio is not lost`() async throws {
        let recognizer = try await Self.recognizer()
        let audio = try Golden("nemotron-golden").audio()
        let expected = try await transcript(of: audio, in: 2560, recognizer.openStream())
        let stream = try await recognizer.openStream()
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                let error = await #expect(throws: VoiceError.self) { _ = try await stream.feed(audio) }
                #expect(error?.code == .cancelled)
            }
        }
        #expect(try await stream.finish().text == expected.text)
    }

    @Test func `the endpointer speaks once after words and silence`() async throws {
        let recognizer = try await Self.recognizer()
        let options = RecognitionOptions(endpointSilence: .milliseconds(80))
        let stream = try await recognizer.openStream(options)
        var ends = 0
        let audio = try Golden("nemotron-golden").audio()
        for start in stride(from: 0, to: audio.count, by: 2560) {
            let partial = try await stream.feed(Array(audio[start..<min(audio.count, start + 2560)]))
            if partial?.isEndpoint == true { ends += 1 }
        }
        #expect(ends > 0)
    }
}
