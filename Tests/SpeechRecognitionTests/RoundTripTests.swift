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

        @Test func `a draft is the final transcript, whatever silence comes after it`() async throws {
            let stream = try await Self.recognizer.get().openStream()
            #expect(try await stream.draft() == nil)
            for silence in [0, 8_000, 100_000] {
                _ = try await stream.feed(try await spoken("How many days are there in a week?"))
                let draft = try #require(try await stream.draft())
                #expect(!draft.isFinal)
                #expect(draft.text.contains("days"))
                _ = try await stream.feed([Float](repeating: 0, count: silence))
                if silence < 10_000 { #expect(try await stream.draft() == draft) }
                #expect(try await stream.finish().text.contains("days"))
                #expect(try await stream.draft() == nil)
            }
        }

        @Test func `who goes on after drafts is understood as if there had been none`() async throws {
            let speech = try await spoken("I would like to read a good book about the history of the world.")
            let recognizer = try PocketSphinxRecognizer()
            func transcript(draftingAt drafts: [Int]) async throws -> String {
                let stream = try await recognizer.openStream()
                for start in stride(from: 0, to: speech.count, by: 320) {
                    if drafts.contains(start) { #expect(try await stream.draft() != nil) }
                    // What comes between a draft and the first sound is heard, too.
                    if drafts.contains(start - 640) { try await stream.resume() }
                    _ = try await stream.feed(Array(speech[start..<min(start + 320, speech.count)]))
                }
                return try await stream.finish().text
            }
            let plain = try await transcript(draftingAt: [])
            #expect(plain.contains("history of the world"))
            #expect(try await transcript(draftingAt: [16_000]) == plain)
            #expect(try await transcript(draftingAt: [9_600, 16_000, 32_000]) == plain)
        }

        @Test func `nobody gets a draft while many speak, or of much`() async throws {
            let recognizer = try PocketSphinxRecognizer(mostDrafting: 1)
            let speech = try await spoken("What is the capital of France?")
            let (one, other) = (try await recognizer.openStream(), try await recognizer.openStream())
            _ = try await one.feed(speech)
            _ = try await other.feed(speech)
            #expect(try await one.draft() == nil)
            _ = try await other.finish()
            #expect(try await one.draft() != nil)
            try await one.resume()
            _ = try await one.feed([Float](repeating: 0, count: 160_000))
            #expect(try await one.draft() == nil)
            #expect(try await one.finish().text.contains("capital"))
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
