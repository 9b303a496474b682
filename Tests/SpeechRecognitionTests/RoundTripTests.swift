// Needs `SpeechSynthesis` among the test target's dependencies.
#if canImport(SpeechSynthesis)
    internal import Testing
    internal import VoiceCore

    @testable internal import SpeechRecognition
    @testable internal import SpeechSynthesis

    @Suite(.serialized) struct RoundTripTests {
        static let recognizer = Result { () throws(VoiceError) in try PocketSphinxRecognizer() }

        @Test func `what flite says, PocketSphinx understands, and partials lead up to it`() async throws {
            let stream = try await Self.recognizer.get().openStream()
            let speech = try await spoken("What is the capital of France?")
            for round in 0..<2 {
                var partials: [String] = []
                for start in stride(from: 0, to: speech.count, by: 320) {
                    let partial = try await stream.feed(Array(speech[start..<min(start + 320, speech.count)]))
                    if let partial {
                        #expect(!partial.isFinal)
                        #expect(partial.text != partials.last)
                        partials.append(partial.text)
                    }
                }
                let final = try await stream.finish()
                #expect(final.isFinal)
                let words = final.text.lowercased().split(separator: " ")
                for word in ["what", "is", "the", "capital", "of"] {
                    #expect(words.contains(Substring(word)), "\(round) \(final.text)")
                }
                #expect(partials.count > 2)
            }
        }

        @Test func `a stream on a used decoder hears what the first one heard, whatever the chunks`() async throws {
            let speech = try await spoken("I would like to read a good book about the history of the world.")
            var heard: [String] = []
            for chunk in [320, 512, 5_000] {
                let stream = try await Self.recognizer.get().openStream()
                for start in stride(from: 0, to: speech.count, by: chunk) {
                    _ = try await stream.feed(Array(speech[start..<min(start + chunk, speech.count)]))
                }
                heard.append(try await stream.finish().text)
            }
            #expect(heard == [String](repeating: heard[0], count: 3))
            #expect(heard[0].contains("history of the world"))
        }

        @Test func `two speakers who take turns on one decoder hear what each hears alone`() async throws {
            let recognizer = try PocketSphinxRecognizer()
            let questions = try await [
                spoken("What is the capital of France?"), spoken("How many days are there in a week?"),
            ]
            func transcripts(_ stream: any RecognizerStream, _ speech: [Float]) async throws -> String {
                _ = try await stream.feed(speech)
                return try await stream.finish().text
            }
            var alone: [String] = []
            for question in questions {
                let stream = try await recognizer.openStream()
                for _ in 0..<2 { alone.append(try await transcripts(stream, question)) }
            }
            let streams = [try await recognizer.openStream(), try await recognizer.openStream()]
            var together = [String](repeating: "", count: 4)
            for round in 0..<2 {
                for (index, stream) in streams.enumerated() {
                    together[2 * index + round] = try await transcripts(stream, questions[index])
                }
            }
            #expect(together == alone)
            #expect(alone[0].contains("capital") && alone[2].contains("days"))
        }

        @Test func `an utterance that was dropped leaves nothing behind`() async throws {
            let stream = try await Self.recognizer.get().openStream()
            let speech = try await spoken("The quick brown fox.")
            _ = try await stream.feed(speech)
            try await stream.reset()
            _ = try await stream.feed([Float](repeating: 0, count: 4_800))
            #expect(try await stream.finish().text == "")
        }

        @Test func `a long utterance is decoded in parts and joined`() async throws {
            let stream = try await Self.recognizer.get().openStream()
            let speech =
                try await spoken("Number one.") + [Float](repeating: 0, count: 16_000 * 50) + spoken("Number two.")
            _ = try await stream.feed(speech)
            let text = try await stream.finish().text.lowercased()
            #expect(text.split(separator: " ").count { $0 == "number" } == 2, "\(text)")
        }
    }

    /// What flite says, after 300 ms of silence and before 200 ms, 16 kHz.
    private func spoken(_ text: String) async throws -> [Float] {
        var samples = [Float](repeating: 0, count: 4_800)
        for try await chunk in FliteSynthesizer(voice: .rms).speak(text) { samples += chunk.samples }
        return samples + [Float](repeating: 0, count: 3_200)
    }
#endif
