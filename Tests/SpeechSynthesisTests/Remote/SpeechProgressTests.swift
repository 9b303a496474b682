internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

@Suite struct SpeechProgressTests {
    private static func chunk(_ samples: Int, _ words: (Int, Int)...) -> SpeechChunk {
        SpeechChunk(
            samples: [Float](repeating: 0, count: samples),
            words: words.map { SpokenWord(textEnd: $0.0, sampleEnd: $0.1) }
        )
    }

    @Test func `nothing heard is all to say`() {
        var progress = SpeechProgress("One two three.", rate: .speech)
        #expect(progress.goOn() == "One two three.")
        #expect(progress.goOn() == "One two three.")
    }

    @Test func `another server goes on with the first word that did not come as a whole`() {
        var progress = SpeechProgress("Où est-elle, là?", rate: .speech)
        #expect(progress.take(Self.chunk(300)) == Self.chunk(300))
        #expect(progress.take(Self.chunk(300, (3, 250), (13, 600))) == Self.chunk(300, (3, 250), (13, 600)))
        #expect(progress.take(Self.chunk(100)) == Self.chunk(100))
        #expect(progress.goOn() == " là?")
        // Its words count on in the text, and behind the audio that came before.
        #expect(progress.take(Self.chunk(200, (5, 200))) == Self.chunk(200, (18, 900)))
        #expect(progress.goOn() == "")
    }

    @Test func `three servers can share a text`() {
        var progress = SpeechProgress("a b c", rate: .speech)
        _ = progress.take(Self.chunk(10, (1, 10)))
        #expect(progress.goOn() == " b c")
        #expect(progress.goOn() == " b c")
        #expect(progress.take(Self.chunk(20, (2, 20))) == Self.chunk(20, (3, 30)))
        #expect(progress.goOn() == " c")
        #expect(progress.take(Self.chunk(5, (2, 5))) == Self.chunk(5, (5, 35)))
    }

    @Test func `a first word that did not come as a whole is begun again`() {
        var progress = SpeechProgress("One two.", rate: .speech)
        _ = progress.take(Self.chunk(100))
        #expect(progress.goOn() == "One two.")
        #expect(progress.take(Self.chunk(300, (3, 300))) == Self.chunk(300, (3, 400)))
    }

    @Test func `without words' times nobody knows where to go on, once more than a word was heard`() {
        var progress = SpeechProgress("One two.", rate: .speech)
        _ = progress.take(Self.chunk(16_000))
        #expect(progress.goOn() == "One two.")
        _ = progress.take(Self.chunk(16_001))
        #expect(progress.goOn() == nil)
    }

    @Test func `a word beyond the text is nonsense`() {
        var progress = SpeechProgress("One.", rate: .speech)
        _ = progress.take(Self.chunk(100, (99, 100)))
        #expect(progress.goOn() == "One.")
    }
}
