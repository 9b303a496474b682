internal import ArgumentParser
internal import Testing

@testable internal import Repartee

@Suite struct VoiceBenchmarkTests {
    @Test func `what voices say is what the figures are said to be of`() {
        for text in SpokenSentences.twelveWords { #expect(text.split(separator: " ").count == 12) }
        #expect(SpokenSentences.twelveWords.count == 10)
        #expect(SpokenSentences.roundTrip.count == 40)
        #expect(SpokenSentences.roundTrip.count { $0.contains(where: \.isNumber) } == 20)
    }

    @Test(arguments: [
        ["--voice", "joe", "--voice", "slt"], ["--voice", "joe", "--round-trip", "--recogniser", "pocketsphinx"],
        ["--model", "magpie.gguf"],
    ]) func `a benchmark of voices or of one model is understood`(arguments: [String]) throws {
        _ = try SynthesisBenchmark.parse(arguments)
    }

    @Test(arguments: [
        [], ["--voice", "joe", "--model", "magpie.gguf"], ["--model", "magpie.gguf", "--round-trip"], ["--round-trip"],
        ["--voice", "joe", "--rounds", "0"],
    ]) func `what says nothing to measure, or two things, is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { _ = try SynthesisBenchmark.parse(arguments) }
    }
}
