internal import Foundation
internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

/// Text to speech, with a tiny random voice: what it says is noise, but as long and as divided as speech.
@Suite(.timeLimit(.minutes(5))) struct PiperSynthesizerTests {
    private static let dictionary = """
        hello HH AH0 L OW1
        there DH EH1 R
        good G UH1 D
        morning M AO1 R N IH0 NG
        costs K AA1 S T S
        five F AY1 V
        dollars D AA1 L ER0 Z
        apple AE1 P AH0 L
        """

    private func synthesizer(seed: UInt64 = 1, lane: Lane? = nil) async throws -> PiperSynthesizer {
        let dictionary = try PronouncingDictionary(Array(Self.dictionary.utf8))
        return PiperSynthesizer(
            voice: try await PiperFixture.tiny(lane: lane),
            phonemizer: EnglishPhonemizer(dictionary: dictionary),
            seed: seed
        )
    }

    private func chunks(_ text: String, _ synthesizer: PiperSynthesizer) async throws -> [SpeechChunk] {
        var chunks: [SpeechChunk] = []
        for try await chunk in synthesizer.speak(text, urgency: Urgency(.firstAudio)) { chunks.append(chunk) }
        return chunks
    }

    @Test func `every word is reported once, in order, where its sound ends`() async throws {
        let text = "Hello there, good morning! The apple costs $5. 🙂"
        let chunks = try await chunks(text, synthesizer())
        let words = chunks.flatMap(\.words)
        // "five" and "dollars" both speak "$5.", and what cannot be spoken belongs to the word before.
        let ends = ["Hello", "there,", "good", "morning!", "The", "apple", "costs"].reduce(into: [Int]()) {
            ends,
            word in
            let rest = text.utf8.dropFirst(ends.last ?? 0)
            let start = text.utf8.count - rest.count
            let found = Array(rest).firstRange(of: Array(word.utf8))
            ends.append(start + (found?.upperBound ?? 0))
        }
        #expect(words.map(\.textEnd).dropLast() == ends[...])
        let last = try #require(words.last)
        #expect(last.textEnd >= text.utf8.count - 5)
        var position = 0
        for chunk in chunks {
            position += chunk.samples.count
            for word in chunk.words { #expect(word.sampleEnd <= position && word.sampleEnd >= 0) }
        }
        #expect(words.map(\.sampleEnd) == words.map(\.sampleEnd).sorted())
    }

    @Test func `chunks are short and their samples in range`() async throws {
        let synthesizer = try await synthesizer()
        let chunks = try await chunks("Good morning, hello there.", synthesizer)
        #expect(chunks.count > 1)
        for chunk in chunks {
            #expect(!chunk.samples.isEmpty)
            #expect(chunk.samples.count <= synthesizer.sampleRate.samples(in: .milliseconds(100)))
            #expect(chunk.samples.allSatisfy { abs($0) <= 1 })
        }
    }

    @Test(arguments: ["", "  \n", "🙂🙂", "...", "— –"]) func `nothing to say is an empty stream`(
        text: String
    ) async throws {
        #expect(try await chunks(text, synthesizer()).isEmpty)
    }

    @Test func `texts have noise of their own, and the same seed says the same again`() async throws {
        let (one, two) = (try await synthesizer(seed: 5), try await synthesizer(seed: 5))
        let first = try await chunks("Hello there.", one)
        let second = try await chunks("Hello there.", one)
        #expect(first != second)
        #expect(try await chunks("Hello there.", two) == first)
        #expect(try await chunks("Hello there.", two) == second)
    }

    @Test func `several voices at once say what each would say alone`() async throws {
        let texts = ["Hello there.", "Good morning, hello!", "The apple costs five dollars."]
        let alone = try await synthesizer(seed: 9)
        var expected: [[SpeechChunk]] = []
        for text in texts { expected.append(try await chunks(text, alone)) }
        let shared = try await synthesizer(seed: 9, lane: Lane(name: "cpu"))
        // The order of the calls decides on the noise.
        let streams = texts.map { shared.speak($0, urgency: Urgency(.firstAudio)) }
        let spoken = try await withThrowingTaskGroup(of: (Int, [SpeechChunk]).self) { group in
            for (index, stream) in streams.enumerated() {
                group.addTask {
                    var chunks: [SpeechChunk] = []
                    for try await chunk in stream { chunks.append(chunk) }
                    return (index, chunks)
                }
            }
            return try await group.reduce(into: [Int: [SpeechChunk]]()) { $0[$1.0] = $1.1 }
        }
        for index in texts.indices { #expect(spoken[index] == expected[index]) }
    }

    @Test func `a listener that is cancelled ends the stream at once`() async throws {
        let quanta = QuantumLog()
        let lane = Lane(name: "cpu") { quanta.append($0.request) }
        let synthesizer = try await synthesizer(lane: lane)
        let stream = synthesizer.speak(
            String(repeating: "Good morning, hello there. ", count: 200),
            urgency: Urgency(.firstAudio)
        )
        let task = Task {
            var count = 0
            for try await _ in stream {
                count += 1
                if count == 3 { withUnsafeCurrentTask { $0?.cancel() } }
            }
            return count
        }
        let heard = try await task.value
        #expect(heard >= 3 && heard < 20)
        #expect(quanta.requests.count < 200)
    }

    @Test(.enabled(if: PiperFixture.joeIsExpected, "run scripts/bootstrap to fetch the dictionary"))
    func `the voice has a symbol for every phoneme of the dictionary's words`() async throws {
        let path = URL(filePath: PiperFixture.joe).deletingLastPathComponent().appending(path: "cmudict.dict")
        let bytes = [UInt8](try Data(contentsOf: path))
        let phonemizer = EnglishPhonemizer(dictionary: try PronouncingDictionary(bytes))
        let symbols = try await PiperFixture.tiny().symbols
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        var unknown: Set<Unicode.Scalar> = []
        for index in stride(from: 0, to: lines.count, by: 40) {
            let word = String(lines[index].prefix { $0 != " " && $0 != "(" })
            for said in phonemizer.phonemes(of: SpokenText(asWritten: word + " a")) {
                unknown.formUnion(said.phonemes.unicodeScalars.filter { !symbols.has($0) })
            }
        }
        #expect(unknown.isEmpty)
    }

    @Test func `pieces are sentences; long ones end at a comma, or between words`() async throws {
        let synthesizer = try await synthesizer()
        let phonemizer = EnglishPhonemizer(dictionary: try PronouncingDictionary(Array(Self.dictionary.utf8)))
        func ends(_ text: String) -> [Int] {
            PiperPiece.pieces(of: phonemizer.phonemes(of: EnglishNormalizer().spoken(text)), synthesizer.voice.symbols)
                .compactMap(\.words.last?.textEnd)
        }
        #expect(ends("Hello there. Good morning! Hello") == [12, 26, 32])
        let long = String(repeating: "good morning there hello apple ", count: 12)
        #expect(ends(long).count > 1)
        let clause = "good morning there hello, "
        let comma = ends(String(repeating: clause, count: 12))
        #expect(comma.count > 1)
        for end in comma { #expect(end % clause.utf8.count == clause.utf8.count - 1) }
    }
}
