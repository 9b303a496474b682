internal import Testing

@testable internal import LanguageModels

@Suite struct SentenceEndsTests {
    @Test(arguments: [".", "?", " !", "?!", "!!", "\n", "\n\n", ".\"", "?'", "。", "؟"])
    func `a token that does nothing but end a sentence is an end`(text: String) {
        #expect(SentenceEnds.isEnd(Array(text.utf8)))
    }

    @Test(arguments: ["", " ", "..", "...", "…", ",", ".com", " .5", "a.", "?x", "\"", ".)", "\n-"])
    func `others are none`(text: String) {
        #expect(!SentenceEnds.isEnd(Array(text.utf8)))
    }

    @Test func `half a character is none`() {
        #expect(!SentenceEnds.isEnd([0xE3, 0x80]))
    }

    @Test(
        arguments: [
            ("What is it?", "What is it"), ("well", "well"), ("Wait... ", "Wait"),
            ("Set a timer for…", "Set a timer for"),
            ("a coffee,", "a coffee,"), ("At 5 p.m.", "At 5 p.m"), ("?!", ""), ("", ""),
        ]
    )
    func `the signs at the end of a message are taken off, a comma is not`(text: String, words: String) {
        #expect(SentenceEnds.removed(from: text) == words)
    }

    @Test func `the probability is the share of the ends`() throws {
        let ends = SentenceEnds([1, 3, 9])
        let logits: [Float] = [0, 2, -1, 1]
        let sum: Float = 1 + 7.389056 + 0.36787944 + 2.7182817
        let found = ends.probability(logits.span)
        let probability = try #require(found)
        #expect(abs(probability - (7.389056 + 2.7182817) / sum) < 1e-6)
        // Large scores must not overflow.
        let large: [Float] = [1000, 1002, 999, 1001]
        let again = ends.probability(large.span)
        #expect(again == probability)
    }

    @Test(arguments: [[.nan, 1], [.infinity, 0], [-.infinity, -.infinity]] as [[Float]])
    func `scores that are no numbers tell nothing`(logits: [Float]) {
        let probability = SentenceEnds([0]).probability(logits.span)
        #expect(probability == nil)
    }
}
