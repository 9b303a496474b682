internal import Testing

@testable internal import SpeechRecognition

/// Phrases in the search, on a model that knows nothing of them.
@Suite struct PhraseBoostingTests {
    @Test func `a likely token is chosen more often, and only where one would be written anyway`() throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let features = bench.features(try golden.audio())
        let pieces = ["<unk>", "▁"] + (2..<64).map { "x\(Character(Unicode.Scalar(UInt8(60 + $0))))" }
        let vocabulary = try TokenVocabulary(pieces: ["<unk>", "▁", "q"] + pieces.dropFirst(3))
        let plain = try bench.tokens(features, lookahead: 1)
        let trie = try PhraseTrie(phrases: ["q"], boost: 10, vocabulary: vocabulary)
        let boosted = try bench.tokens(features, lookahead: 1, booster: PhraseBooster(trie))
        func count(_ tokens: [EmittedToken]) -> Int { tokens.count { $0.id == 1 || $0.id == 2 } }
        #expect(count(boosted) > count(plain))
        // The first token comes in the same frame: phrases never win against the blank.
        #expect(boosted.first?.frame == plain.first?.frame)
        let nothing = try PhraseTrie(phrases: ["q"], boost: 0, vocabulary: vocabulary)
        #expect(try bench.tokens(features, lookahead: 1, booster: PhraseBooster(nothing)) == plain)
    }
}
