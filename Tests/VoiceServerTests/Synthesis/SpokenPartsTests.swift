internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite struct ClauseCutterTests {
    static let texts = [
        "Hello there. How are you?  I am fine!\n\nDr. Smith came, too: at 3.14 p.m. ",
        "你好。今天天气很好！我们去公园吧？", String(repeating: "无标点的中文", count: 500), "👩‍👩‍👧‍👦 and e\u{301} are characters. So they stay.",
        String(repeating: "word ", count: 3_000), String(repeating: "x", count: 5_000), "   ", "",
    ]

    @Test(arguments: texts)
    func `the sentences of a text are the text, in short pieces with their places`(text: String) {
        let clauses = ClauseCutter.sentences(of: text, start: 7)
        #expect(Self.isCut(text, into: clauses, start: 7))
        #expect(clauses.allSatisfy { $0.text.count <= 2_000 })
    }

    @Test(arguments: texts, [1, 3, 50])
    func `tokens of any length are put together to the same text`(text: String, length: Int) {
        var cutter = ClauseCutter()
        var clauses: [ClauseCutter.Clause] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            clauses += cutter.feed(String(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        if let last = cutter.flush() { clauses.append(last) }
        #expect(Self.isCut(text, into: clauses, start: 0))
    }

    @Test func `a first clause does not wait for its sentence, a sentence does not wait for the next`() {
        var cutter = ClauseCutter()
        #expect(cutter.feed("Well, as far as I know, ").map(\.text) == ["Well, as far as I know,"])
        #expect(cutter.feed("it is so.").map(\.text) == [" it is so."])
    }

    @Test func `a long text without any border takes little work`() {
        var cutter = ClauseCutter()
        var count = 0
        for _ in 0..<20_000 { count += cutter.feed("a").reduce(0) { $0 + $1.text.count } }
        count += cutter.flush()?.text.count ?? 0
        #expect(count == 20_000)
    }

    /// True if the clauses are the text but for blank parts, and know where they are.
    static func isCut(_ text: String, into clauses: [ClauseCutter.Clause], start: Int) -> Bool {
        let bytes = Array(text.utf8)
        var position = 0
        for clause in clauses {
            let begin = clause.start - start
            guard begin >= position, begin + clause.text.utf8.count <= bytes.count,
                Array(clause.text.utf8) == Array(bytes[begin..<begin + clause.text.utf8.count]),
                String(decoding: bytes[position..<begin], as: UTF8.self).allSatisfy(\.isWhitespace)
            else { return false }
            position = begin + clause.text.utf8.count
        }
        return String(decoding: bytes[position...], as: UTF8.self).allSatisfy(\.isWhitespace)
    }
}

@Suite struct StreamOutputTests {
    @Test func `between sentences it is silent so long, and what the voice leaves counts`() {
        var output = Self.output(pause: .milliseconds(250))
        output.begin(.init(text: "One.", start: 0))
        #expect(output.feed(SpeechChunk(samples: Self.sound(1_600) + Self.silence(1_600))).samples.count == 3_200)
        _ = output.end()
        output.begin(.init(text: "Two,", start: 4))
        let second = output.feed(SpeechChunk(samples: Self.sound(160))).samples
        #expect(second == Self.silence(2_400) + Self.sound(160))
        _ = output.end()
        output.begin(.init(text: "three.", start: 8))
        #expect(output.feed(SpeechChunk(samples: Self.sound(160))).samples.count == 160)
    }

    @Test func `words lie behind the pause`() {
        var output = Self.output(pause: .milliseconds(100))
        output.begin(.init(text: "One.", start: 0))
        _ = output.feed(SpeechChunk(samples: Self.sound(1_600)))
        _ = output.end()
        output.begin(.init(text: "Two.", start: 4))
        let words = output.feed(
            SpeechChunk(samples: Self.sound(800), words: [SpokenWord(textEnd: 4, sampleEnd: 800)])
        ).words
        #expect(words == [.init(text: "Two.", textEnd: 8, end: 250)])
    }

    @Test func `no pause comes after the last sentence`() {
        var output = Self.output(pause: .milliseconds(250))
        output.begin(.init(text: "One.", start: 0))
        _ = output.feed(SpeechChunk(samples: Self.sound(1_600)))
        #expect(output.end().isEmpty)
        #expect(output.endSegment() == (1, 100))
        #expect(output.audio == 100)
    }

    static func output(pause: Duration) -> StreamOutput {
        var wishes = SynthesisProtocol.Wishes()
        wishes.sentencePause = pause
        wishes.showsWords = true
        let stream = SynthesisStream(id: "s", epoch: 1, voice: "one", rate: .speech, wishes: wishes)
        return StreamOutput(stream, voiceRate: .speech)
    }

    static func sound(_ count: Int) -> [Float] { [Float](repeating: 0.5, count: count) }
    static func silence(_ count: Int) -> [Float] { [Float](repeating: 0, count: count) }
}

@Suite struct SendingPaceTests {
    @Test func `two pieces go at once, then so many times as fast as they are played`() {
        var pace = SendingPace(speed: 4)
        let piece = Duration.milliseconds(20)
        let times = (0..<5).map { _ in pace.take(piece, at: .seconds(10)) }
        #expect(times.map { max($0, .seconds(10)) - .seconds(10) } == [0, 0, 5, 10, 15].map { .milliseconds($0) })
    }

    @Test func `a pause saves up no more than that`() {
        var pace = SendingPace(speed: 2)
        let piece = Duration.milliseconds(20)
        for _ in 0..<10 { _ = pace.take(piece, at: .seconds(1)) }
        let times = (0..<3).map { _ in pace.take(piece, at: .seconds(100)) }
        #expect(times.map { max($0, .seconds(100)) - .seconds(100) } == [0, 0, 10].map { .milliseconds($0) })
    }

    @Test func `what nobody hears holds nothing up`() {
        var pace = SendingPace(speed: 2)
        for _ in 0..<10 { _ = pace.take(.seconds(1), at: .seconds(1)) }
        pace.reset()
        #expect(pace.take(.seconds(1), at: .seconds(1)) <= .seconds(1))
    }
}
