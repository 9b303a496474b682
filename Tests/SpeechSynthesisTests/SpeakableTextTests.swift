internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

@Suite struct SpeakableTextTests {
    @Test(arguments: [
        ("Hello, world!", ["Hello,", "world!"]),
        ("R&D costs 5% more", ["R", "and", "D", "costs", "5", "percent", "more"]),
        ("“Don’t” — ever…", ["Don't,", "ever."]),
        ("Bonjour !", ["Bonjour!"]),
        ("**Note:** use `x_y`", ["Note:", "use", "x", "y"]),
        ("a < b and c > d", ["a", "b", "and", "c", "d"]),
        ("<p>Hi</p> there", ["Hi", "there"]),
        ("Ærøskøbing Straße Łódź", ["AEroskobing", "Strasse", "Lodz"]),
        ("½ ﬁsh", ["1/2", "fish"]),
        ("no!!!!!!!", ["no!!!"]),
        ("tab\there\u{1}now\r\n", ["tab", "here", "now"]),
    ])
    func `text becomes words for flite`(text: String, words: [String]) {
        #expect(SpeakableText(text).words.map { $0.spoken.lowercased() } == words.map { $0.lowercased() })
    }

    @Test func `each word ends where it does in the original`() {
        let text = "Größe: 5 € 😀 ok"
        let ends = SpeakableText(text).words.map { String(text.utf8.prefix($0.textEnd)) }
        #expect(ends == ["Größe:", "Größe: 5", "Größe: 5 €", text])
    }

    @Test func `pieces end at sentences, then commas, then words`() {
        let text = SpeakableText("One two. Three four, five six seven eight nine ten eleven")
        let pieces = text.pieces(limit: 24).map { $0.map(\.spoken).joined(separator: " ") }
        #expect(pieces == ["One two.", "Three four,", "five six seven eight", "nine ten eleven"])
    }

    @Test func `pieces hold every word once`() {
        let text = SpeakableText(String(repeating: "some words, and more. ", count: 40))
        #expect(text.pieces().flatMap { Array($0) } == text.words)
    }
}

@Suite struct SilenceTrimmerTests {
    @Test(arguments: [1, 7, 100, 4_000])
    func `both ends are trimmed, whatever the blocks`(block: Int) {
        var trimmer = SilenceTrimmer(rate: .speech, earliest: 0)
        let audio =
            [Float](repeating: 0, count: 1_000) + [0.5] + [Float](repeating: 0, count: 500) + [-0.5]
            + [Float](repeating: 0, count: 3_000)
        var output: [Float] = []
        for start in stride(from: 0, to: audio.count, by: block) {
            output += trimmer.feed(Array(audio[start..<min(start + block, audio.count)])).flatMap { $0 }
        }
        output += trimmer.finish(pause: .milliseconds(50)).flatMap { $0 }
        #expect(trimmer.dropped == 920)
        #expect(output == Array(audio[920..<1_502]) + [Float](repeating: 0, count: 800))
        #expect(trimmer.emitted == output.count)
    }

    @Test func `a missing tail is made up of silence`() {
        var trimmer = SilenceTrimmer(rate: .speech, earliest: 0)
        let output = trimmer.feed([0.5]) + trimmer.finish(pause: .milliseconds(1))
        #expect(output.flatMap { $0 } == [0.5] + [Float](repeating: 0, count: 16))
    }

    @Test func `a click long before the first phone is no beginning`() {
        var trimmer = SilenceTrimmer(rate: .speech, earliest: 500)
        var audio = [Float](repeating: 0, count: 1_000)
        audio[3] = 0.5
        audio[900] = 0.5
        _ = trimmer.feed(audio)
        #expect(trimmer.dropped == 820)
    }

    @Test func `silence alone gives nothing`() {
        var trimmer = SilenceTrimmer(rate: .speech, earliest: 0)
        #expect(trimmer.feed([Float](repeating: 0.001, count: 16_000)).isEmpty)
        #expect(trimmer.finish(pause: .milliseconds(120)).isEmpty)
    }

    @Test func `chunks are at most a tenth of a second`() {
        var trimmer = SilenceTrimmer(rate: .speech, earliest: 0)
        let chunks = trimmer.feed([Float](repeating: 0.5, count: 10_000)) + trimmer.finish(pause: .milliseconds(500))
        #expect(chunks.allSatisfy { $0.count <= 1_600 })
        #expect(chunks.reduce(0) { $0 + $1.count } == 18_000)
    }
}
