internal import Testing
internal import VoiceCore

@testable internal import Audio
@testable internal import SpeechSynthesis

@Suite struct FliteSynthesizerTests {
    let flite = FliteSynthesizer()

    @Test(arguments: FliteVoice.allCases)
    func `every voice speaks, without silence at either end`(voice: FliteVoice) async throws {
        let speech = try await spoken("The capital of France is Paris.", FliteSynthesizer(voice: voice))
        #expect((1.2...2.6).contains(Double(speech.samples.count) / 16_000))
        let first = try #require(SpeechEdge.first(in: speech.samples))
        let last = try #require(SpeechEdge.last(in: speech.samples))
        #expect(first < 16_000 * 60 / 1_000)
        let pause = speech.samples.count - last
        #expect((16_000 * 119 / 1_000...16_000 * 200 / 1_000).contains(pause), "\(pause)")
    }

    @Test func `chunks are short and the first comes before flite has finished`() async throws {
        var lengths: [Int] = []
        for try await chunk in flite.speak("I can help you with that, of course.") {
            lengths.append(chunk.samples.count)
        }
        #expect(lengths.allSatisfy { (1...1_600).contains($0) })
        #expect(lengths.first ?? .max <= 400)
    }

    @Test func `the pause after a comma is shorter than after a sentence`() async throws {
        func pause(_ text: String) async throws -> Int {
            let samples = try await spoken(text, flite).samples
            return samples.count - (SpeechEdge.last(in: samples, above: SilenceTrimmer.sound) ?? 0) - 1
        }
        #expect(try await pause("Well then.") == 1_920)
        #expect(try await pause("Well then,") == 1_120)
        #expect(try await pause("Well then") == 640)
    }

    @Test func `every word is reported once, in order, with its place in the text and in the audio`() async throws {
        let text = "Dr. Smith paid $5.20 for “café au lait” — really! 😀"
        let speech = try await spoken(text, flite)
        let ends = speech.words.map { String(text.utf8.prefix($0.textEnd)) ?? "" }
        #expect(
            ends == [
                "Dr.", "Dr. Smith", "Dr. Smith paid", "Dr. Smith paid $5.20", "Dr. Smith paid $5.20 for",
                "Dr. Smith paid $5.20 for “café", "Dr. Smith paid $5.20 for “café au",
                "Dr. Smith paid $5.20 for “café au lait” —", text,
            ]
        )
        let places = speech.words.map(\.sampleEnd)
        #expect(places == places.sorted())
        #expect(places.allSatisfy { (1...speech.samples.count).contains($0) })
        // "$5.20" is four words long.
        #expect(places[3] - places[2] > 16_000)
    }

    @Test func `words are reported no later than with the chunk in which they end`() async throws {
        var heard = 0
        for try await chunk in flite.speak("One two three four five six seven.") {
            heard += chunk.samples.count
            #expect(chunk.words.allSatisfy { $0.sampleEnd <= heard })
            #expect(chunk.words.allSatisfy { $0.sampleEnd > heard - chunk.samples.count - 1_600 })
        }
    }

    @Test func `a word border lies where the word has been said`() async throws {
        // The same words, up to the border: cutting there leaves no sound of the next word out of a silence between them.
        let speech = try await spoken("Stop. Now.", flite)
        let border = try #require(speech.words.first).sampleEnd
        #expect(SpeechEdge.first(in: Array(speech.samples[..<border])) != nil)
        #expect(SpeechEdge.first(in: Array(speech.samples[border...])) != nil)
    }

    @Test(arguments: [
        "", " \n\t ", "...", "?!", "—", "😀🎉", "\u{0}\u{7}\u{1b}", "こんにちは", "<break time=\"1s\"/>", "\"'\"", "*** ___",
    ])
    func `text without anything to say gives nothing`(text: String) async throws {
        let speech = try await spoken(text, flite)
        #expect(speech.samples.isEmpty)
        #expect(speech.words.isEmpty)
    }

    @Test(arguments: [
        "Hi.", "a", "I", "3", "100%", "C++ & R&D", "<speak>Hello <emphasis>you</emphasis></speak>",
        "**bold** and `code`",
        "naïve Zoë Größe", "hello\u{0}there\u{7}", "x\u{301}\u{302}y", "a.b.c.d", "http://example.com/a?b=c&d=e#f",
        "12345678901234567890123", "1/2 cup", "'", "Привет hello", "-5 -- 6", "((()))x", "WHAT???!!!...,,,",
        "e.g. i.e. etc.",
        "\u{FFFD}ok", "$", "$5", "5$", "....5", "i'm can't 'tis", "Ⅳ ½ ﬁsh ①",
    ])
    func `odd text is spoken without harm`(text: String) async throws {
        let speech = try await spoken(text, flite)
        let isSpeakable = !SpeakableText(text).words.isEmpty
        #expect(speech.samples.isEmpty == !isSpeakable)
        if isSpeakable { #expect(speech.words.last?.textEnd == text.utf8.count) }
        #expect(speech.samples.allSatisfy { abs($0) <= 1 })
    }

    @Test(arguments: [String(repeating: "a", count: 2_000), String(repeating: ".a", count: 1_000)])
    func `a word without end is spoken in parts`(text: String) async throws {
        let pieces = SpeakableText(text).pieces()
        #expect(pieces.allSatisfy { $0.reduce(0) { $0 + $1.spoken.utf8.count + 1 } <= 122 })
        var iterator = flite.speak(text).makeAsyncIterator()
        #expect(try await iterator.next() != nil)
    }

    @Test func `a long text is spoken piece by piece`() async throws {
        let text = String(repeating: "This is a sentence of nine words, I think. ", count: 8)
        let speech = try await spoken(text, flite)
        #expect(speech.words.count == 72)
        let places = speech.words.map(\.sampleEnd)
        #expect(places == places.sorted())
        #expect(places.last ?? 0 > 8 * 16_000 * 3 / 2)
        #expect(speech.words.last?.textEnd == text.utf8.count)
    }

    @Test func `a dropped stream stops and the next one speaks`() async throws {
        for _ in 0..<5 {
            for try await _ in flite.speak(String(repeating: "and so on ", count: 200)) { break }
        }
        #expect(try await !spoken("Hello.", flite).samples.isEmpty)
    }

    @Test(arguments: FliteVoice.allCases)
    func `a cancelled task gets the end of the stream`(voice: FliteVoice) async throws {
        let flite = FliteSynthesizer(voice: voice)
        let chunks = try await withThrowingTaskGroup { group in
            group.addTask {
                var count = 0
                for try await _ in flite.speak(String(repeating: "and so on ", count: 200)) {
                    count += 1
                    withUnsafeCurrentTask { $0?.cancel() }
                }
                return count
            }
            return try await group.next()
        }
        #expect(chunks == 1)
    }

    @Test func `the same text always sounds the same`() async throws {
        #expect(try await spoken("She sells sea shells.", flite) == spoken("She sells sea shells.", flite))
    }

    @Test func `many streams at once do not mix`() async throws {
        let alone = try await spoken("Number three is here.", flite)
        let together = try await withThrowingTaskGroup { group in
            for index in 0..<8 {
                group.addTask { [flite] in
                    try await spoken(index == 3 ? "Number three is here." : "Something else, \(index).", flite).samples
                }
            }
            return try await group.reduce(into: [[Float]]()) { $0.append($1) }
        }
        #expect(together.contains(alone.samples))
        #expect(together.count == 8)
    }
}

func spoken(_ text: String, _ synthesizer: FliteSynthesizer) async throws -> SpeechChunk {
    var whole = SpeechChunk(samples: [])
    for try await chunk in synthesizer.speak(text) {
        whole.samples += chunk.samples
        whole.words += chunk.words
    }
    return whole
}
