internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite struct RecognizedTurnTests {
    private static let all = RecognitionSettings(
        showsWords: true,
        showsConfidences: true,
        showsStable: true,
        sendsAmendments: true
    )

    @Test func `the reference's transcripts have exactly its fields`() throws {
        var turn = RecognizedTurn()
        let settings = RecognitionSettings()
        let partial = Transcript(text: "héllo \"you\"", isFinal: false, words: [word("héllo")], stableLength: 2)
        try #expect(
            json(turn.advance(partial, settings)) == [
                #"{"is_final":false,"text":"héllo \"you\"","type":"transcript"}"#
            ]
        )
        let final = Transcript(text: "héllo you", isFinal: true)
        try #expect(
            json(turn.finish(final, isHard: false, settings)) == [
                #"{"finalize":false,"is_final":true,"text":"héllo you","type":"transcript"}"#
            ]
        )
        try #expect(
            json(turn.finish(Transcript(text: "", isFinal: true), isHard: true, settings)) == [
                #"{"finalize":true,"is_final":true,"text":"héllo you","type":"transcript"}"#
            ]
        )
        try #expect(json([.ready]) == [#"{"type":"ready"}"#])
        try #expect(json([.error(.usage, "no")]) == [#"{"code":"usage","message":"no","type":"error"}"#])
    }

    @Test func `words, confidences and the stable part come when they were asked for`() throws {
        var turn = RecognizedTurn()
        let partial = Transcript(
            text: "one two",
            isFinal: false,
            words: [word("one"), word("two", 0.25)],
            stableLength: 3
        )
        try #expect(
            json(turn.advance(partial, Self.all)) == [
                #"{"confidence":0.25,"is_final":false,"stable":"one","text":"one two","type":"transcript","unstable":" two","#
                    + #""words":[{"confidence":0.9,"end":1.5,"start":1,"word":"one"},{"confidence":0.25,"end":1.5,"start":1,"word":"two"}]}"#
            ]
        )
        var times = RecognizedTurn()
        try #expect(
            json(times.advance(partial, RecognitionSettings(showsWords: true))) == [
                #"{"is_final":false,"text":"one two","type":"transcript","#
                    + #""words":[{"end":1.5,"start":1,"word":"one"},{"end":1.5,"start":1,"word":"two"}]}"#
            ]
        )
    }

    @Test(arguments: [
        (0, "a", " éb"), (1, "a", " éb"), (2, "a ", "éb"), (4, "a é", "b"), (3, "a ", "éb"), (99, "a éb", ""),
    ])
    func `the stable part never ends inside a character`(length: Int, stable: String, unstable: String) throws {
        let message = RecognitionProtocol.TranscriptMessage(
            text: "a éb",
            finality: .interim,
            stableLength: max(1, length)
        )
        let text = try json([.transcript(message)])[0]
        #expect(text.contains(#""stable":"\#(stable)""#))
        #expect(text.contains(#""unstable":"\#(unstable)""#))
    }

    @Test func `what a soft reset ended is stable and keeps its words`() {
        var turn = RecognizedTurn()
        _ = turn.finish(Transcript(text: "one", isFinal: true, words: [word("one")]), isHard: false, Self.all)
        let messages = turn.advance(Transcript(text: "two", isFinal: false, words: [word("two")]), Self.all)
        guard case .transcript(let message)? = messages.first else { return #expect(Bool(false), "\(messages)") }
        #expect(message.text == "one two")
        #expect(message.stableLength == 3)
        #expect(message.words?.map(\.text) == ["one", "two"])
    }

    @Test func `a partial that says nothing new is not repeated`() {
        var turn = RecognizedTurn()
        let settings = RecognitionSettings()
        #expect(turn.advance(Transcript(text: "", isFinal: false), settings).isEmpty)
        #expect(turn.advance(Transcript(text: "a", isFinal: false), settings).count == 1)
        #expect(turn.advance(Transcript(text: "a", isFinal: false, stableLength: 1), settings).isEmpty)
        #expect(turn.advance(Transcript(text: "", isFinal: false), settings).count == 1)
    }

    @Test func `late punctuation belongs to the end of what was said before`() {
        var turn = RecognizedTurn()
        let partial = Transcript(text: "well", isFinal: false, amendment: "?")
        // After a hard reset the final is gone: a message of its own, once, and only if asked for.
        #expect(turn.advance(partial, Self.all).first == .amendment("?"))
        #expect(!turn.advance(partial, Self.all).contains(.amendment("?")))
        let final = Transcript(text: "well then", isFinal: true, amendment: "?!")
        #expect(turn.finish(final, isHard: true, Self.all).first == .amendment("!"))
        var silent = RecognizedTurn()
        #expect(!silent.advance(partial, RecognitionSettings()).contains(.amendment("?")))
        // After a soft one it goes into the text.
        var soft = RecognizedTurn()
        _ = soft.finish(Transcript(text: "is it", isFinal: true, words: [word("it")]), isHard: false, Self.all)
        let messages = soft.advance(partial, Self.all)
        guard messages.count == 1, case .transcript(let message) = messages[0] else {
            return #expect(Bool(false), "\(messages)")
        }
        #expect(message.text == "is it? well")
        #expect(message.words?.map(\.text) == ["it?"])
    }

    @Test func `an endpoint is told once, until speech goes on`() {
        var turn = RecognizedTurn()
        let settings = RecognitionSettings()
        let quiet = Transcript(text: "a", isFinal: false, isEndpoint: true)
        #expect(turn.advance(quiet, settings).last == .endpoint)
        #expect(turn.advance(quiet, settings).isEmpty)
        #expect(!turn.advance(Transcript(text: "a b", isFinal: false), settings).contains(.endpoint))
        #expect(turn.advance(Transcript(text: "a b", isFinal: false, isEndpoint: true), settings) == [.endpoint])
    }

    private func word(_ text: String, _ confidence: Float = 0.9) -> RecognizedWord {
        RecognizedWord(text: text, start: .seconds(1), end: .milliseconds(1_500), confidence: confidence)
    }

    private func json(_ messages: [RecognitionProtocol.ServerMessage]) throws -> [String] {
        try messages.map { String(buffer: try RecognitionProtocol.encode($0)) }
    }

    @Test func `a soft reset in the middle of a word leaves no space in it`() {
        var turn = RecognizedTurn()
        _ = turn.finish(Transcript(text: "say hel", isFinal: true), isHard: false, Self.all)
        let rest = Transcript(text: "lo you", isFinal: true, continuesWord: true)
        guard case .transcript(let final)? = turn.finish(rest, isHard: true, Self.all).last else {
            Issue.record("there is no final transcript")
            return
        }
        #expect(final.text == "say hello you")
    }
}
