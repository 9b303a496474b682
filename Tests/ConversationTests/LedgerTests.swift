internal import Testing
internal import VoiceCore

@testable internal import Conversation

@Suite struct LedgerTests {
    @Test func `a reply that goes on after a pause begins with the word in which it stopped`() {
        var ledger = Ledger()
        ledger.beginClause("one two")
        let words = [SpokenWord(textEnd: 3, sampleEnd: 40), SpokenWord(textEnd: 7, sampleEnd: 90)]
        ledger.append(samples: 100, words: words)
        ledger.endClause()
        ledger.beginClause(" three")
        ledger.append(samples: 100, words: [])
        #expect([10, 40, 70, 95].map { ledger.wordStart(atSample: $0) } == [0, 40, 40, 90])
        #expect(ledger.wordStart(atSample: 150) == 150)
    }

    /// Two clauses of 100 and 50 samples; the first with word borders, the second without.
    private func ledger() -> Ledger {
        var ledger = Ledger()
        ledger.beginClause("Hello there,")
        ledger.append(
            samples: 100,
            words: [SpokenWord(textEnd: 5, sampleEnd: 40), SpokenWord(textEnd: 12, sampleEnd: 95)]
        )
        ledger.endClause()
        ledger.beginClause(" how are you?")
        ledger.append(samples: 50, words: [])
        ledger.endClause()
        return ledger
    }

    @Test(arguments: [
        (0, ""), (39, ""), (40, "Hello"), (94, "Hello"), (95, "Hello there,"), (100, "Hello there,"),
        (101, "Hello there,"), (120, "Hello there, how"), (149, "Hello there, how are"),
        (150, "Hello there, how are you?"), (10_000, "Hello there, how are you?"),
    ])
    func `what was heard ends at the last whole word`(samples: Int, heard: String) {
        #expect(ledger().heard(afterSamples: samples) == heard)
    }

    @Test func `a clause whose audio is still being made is not heard to its end`() {
        var ledger = Ledger()
        ledger.beginClause("One two three")
        ledger.append(samples: 30, words: [SpokenWord(textEnd: 3, sampleEnd: 30)])
        #expect(ledger.heard(afterSamples: 30) == "One")
    }

    @Test func `a border inside a character never splits it`() {
        var ledger = Ledger()
        ledger.beginClause("é!")
        ledger.append(
            samples: 10,
            words: [SpokenWord(textEnd: 1, sampleEnd: 5), SpokenWord(textEnd: 99, sampleEnd: 9)]
        )
        #expect(ledger.heard(afterSamples: 6) == "")
        #expect(ledger.heard(afterSamples: 9) == "é!")
    }

    @Test func `what was heard is always a prefix of the text and never shrinks`() {
        let ledger = ledger()
        var last = ""
        for samples in 0...160 {
            let heard = ledger.heard(afterSamples: samples)
            #expect(ledger.text.hasPrefix(heard))
            #expect(heard.hasPrefix(last))
            last = heard
        }
    }
}
