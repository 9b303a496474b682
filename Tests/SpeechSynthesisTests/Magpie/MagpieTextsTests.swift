internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

@Suite struct MagpieTextsTests {
    private func split(_ text: String, limit: Int) -> [String] {
        let words = SpokenText(asWritten: text).words
        return MagpieTexts.split(words, limit: limit).map { words[$0].map(\.text).joined(separator: " ") }
    }

    @Test func `a short text is said at once, whatever its sentences`() {
        #expect(split("Yes. No. Maybe so.", limit: 4) == ["Yes. No. Maybe so."])
        #expect(split("", limit: 4).isEmpty)
    }

    @Test func `a long one sentence by sentence`() {
        #expect(
            split("One two three. Four \"five six!\" Seven", limit: 4) == [
                "One two three.", "Four \"five six!\"", "Seven",
            ]
        )
    }

    @Test func `a sentence that is too long at its last comma, else anywhere`() {
        #expect(split("a b, c d e f. g", limit: 4) == ["a b,", "c d e f.", "g"])
        #expect(split("a b c d e f g h i", limit: 4) == ["a b c d", "e f g h", "i"])
    }

    @Test(arguments: [1, 2, 3, 7, 45]) func `the pieces are the text, none too long`(limit: Int) {
        var generator = SplitMix64(seed: UInt64(limit))
        let marks = ["", "", "", "", ",", ".", "?"]
        let words = (0..<200).map { "w\($0)" + marks[Int(generator.next() % 7)] }
        let spoken = SpokenText(asWritten: words.joined(separator: " ")).words
        let pieces = MagpieTexts.split(spoken, limit: limit)
        #expect(pieces.flatMap { Array($0) } == Array(0..<200))
        #expect(pieces.allSatisfy { (1...limit).contains($0.count) })
    }
}

@Suite struct SpeechOnsetTests {
    private let rate = SampleRate(10_000)

    @Test(arguments: [1, 7, 60, 1000]) func `silence goes, sound stays, whatever the pieces`(length: Int) {
        let loud = (0..<400).map { Float($0 % 2 == 0 ? 0.5 : -0.5) }
        let sound = [Float](repeating: 0.001, count: 500) + loud + [Float](repeating: 0.001, count: 300)
        var onset = SpeechOnset(rate: rate)
        var out: [Float] = []
        for start in stride(from: 0, to: sound.count, by: length) {
            out += onset.feed(Array(sound[start..<min(start + length, sound.count)]))
        }
        out += onset.finish()
        // 10 ms stay before the first sound; the end keeps its silence.
        #expect(onset.dropped == 400)
        #expect(out.count == 800 && onset.emitted == 800)
        #expect(Array(out[100..<500]) == loud)
        #expect(out[0] == 0 && abs(out[799]) < 0.0001)
    }

    @Test func `silence alone is nothing`() {
        var onset = SpeechOnset(rate: rate)
        #expect(onset.feed([Float](repeating: 0, count: 5000)).isEmpty)
        #expect(onset.finish().isEmpty)
    }
}
