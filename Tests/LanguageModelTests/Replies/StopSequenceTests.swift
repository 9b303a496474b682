internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite struct StopSequenceTests {
    /// What comes of a text in pieces.
    private func say(_ pieces: [String], before stops: [String]) -> (texts: [String], isMatched: Bool) {
        var sequences = StopSequences(stops)
        var events = pieces.flatMap { sequences.filter([.text($0)]) }
        events += sequences.finish([])
        return (events.compactMap { if case .text(let text) = $0 { text } else { nil } }, sequences.isMatched)
    }

    @Test(arguments: [
        (["Good day", " END", " more"], ["END"], ["Good day", " "]), (["Good E", "N", "D."], ["END"], ["Good "]),
        (["Good E", "N", "T."], ["END"], ["Good ", "ENT."]), (["aab"], ["ab"], ["a"]),
        (["a", "a", "b"], ["ab"], ["a"]),
        (["one two three"], ["three", "two"], ["one "]), (["x", "yy"], ["yyy", "y"], ["x"]),
        (["caf", "é!"], ["é"], ["caf"]),
        (["END"], ["END"], []), (["Go", " on"], [], ["Go", " on"]), (["Go", " E"], ["END"], ["Go", " ", "E"]),
    ])
    func `a reply ends before the first text that ends it`(pieces: [String], stops: [String], texts: [String]) {
        #expect(say(pieces, before: stops).texts == texts)
    }

    @Test func `however a text is split, what comes of it is the same`() {
        let text = "abcabdabcabdabcaba\nzé — end"
        let stops = ["abcaba", "d —"]
        for count in 1..<text.count {
            var pieces: [String] = []
            var rest = text[...]
            while !rest.isEmpty {
                pieces.append(String(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let said = say(pieces, before: stops)
            #expect(said.texts.joined() == "abcabdabcabd")
            #expect(said.isMatched)
        }
    }

    @Test func `thoughts and calls pass, and nothing after the end`() {
        var sequences = StopSequences(["END"])
        let call = ToolCall(id: "1", name: "now", arguments: [:])
        #expect(sequences.filter([.reasoning("END")]) == [.reasoning("END")])
        #expect(sequences.filter([.text("E"), .toolCall(call)]) == [.text("E"), .toolCall(call)])
        #expect(sequences.filter([.text("ND END"), .toolCall(call)]) == [.text("ND ")])
        #expect(sequences.finish([.text("more")]).isEmpty)
    }

    @Test(arguments: [Models.attention, Models.hybrid])
    func `a model stops before the text, in the middle of a token as well, and goes on from there`(
        path: String
    ) async throws {
        let model = try await Models.load(path)
        let opening = [ChatMessage(.system, "Be brief."), ChatMessage(.user, "Hello there!")]
        let whole = try await model.openChat().say(opening)
        // Some text of the middle that does not come before.
        let middle = whole.text.index(whole.text.startIndex, offsetBy: whole.text.count / 2)
        let stop = String(whole.text[middle...].prefix(2))
        let end = try #require(whole.text.firstRange(of: stop)).lowerBound
        let chat = try await model.openChat()
        var sampling = SamplingOptions.greedy()
        sampling.stop = [stop]
        let said = try await chat.say(opening, sampling)
        #expect(said.text == whole.text[..<end])
        #expect(!said.truncated)
        #expect(said.usage.generatedTokens < whole.usage.generatedTokens)
        #expect(said.usage.promptTokens == whole.usage.promptTokens)
        // The next turn does not read again what was said.
        let next = opening + [ChatMessage(.assistant, said.text), ChatMessage(.user, "Go on.")]
        let reply = try await chat.say(next)
        #expect(reply.usage.cachedTokens >= whole.usage.promptTokens - 1)
        #expect(reply.text == (try await model.openChat().say(next)).text || path == Models.hybrid)
    }
}
