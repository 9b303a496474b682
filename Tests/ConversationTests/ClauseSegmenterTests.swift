internal import Testing

@testable internal import Conversation

@Suite struct ClauseSegmenterTests {
    private func clauses(_ pieces: [String]) -> [String] {
        var segmenter = ClauseSegmenter(configuration: ClauseSegmenter.Configuration())
        return pieces.flatMap { segmenter.feed($0) } + (segmenter.finish().map { [$0] } ?? [])
    }

    private func tokens(_ text: String) -> [String] {
        text.split(separator: " ", omittingEmptySubsequences: false).enumerated().map { $0 == 0 ? "\($1)" : " \($1)" }
    }

    @Test func `the first clause ends at a comma after three words`() {
        let text = "Well, that is a question, and I like it."
        #expect(clauses(tokens(text)) == ["Well, that is a question,", " and I like it."])
    }

    @Test func `the first clause does not wait for punctuation for ever`() {
        let text = "The history of the Roman empire is long and full of wars and peace."
        #expect(clauses(tokens(text)).first == "The history of the Roman empire is")
    }

    @Test func `a short first sentence is spoken at once, without waiting for the next word`() {
        var segmenter = ClauseSegmenter(configuration: ClauseSegmenter.Configuration())
        #expect(segmenter.feed("Paris") == [])
        #expect(segmenter.feed(".") == ["Paris."])
    }

    @Test func `a comma behind a word ends the first clause at once`() {
        var segmenter = ClauseSegmenter(configuration: ClauseSegmenter.Configuration())
        #expect(segmenter.feed("Well, that is") == [])
        #expect(segmenter.feed(",") == ["Well, that is,"])
    }

    @Test(arguments: [
        "They are about 1,000 years old.", "We can meet at 12:30 today.", "It is at http://host/path now.",
    ])
    func `marks inside numbers and addresses do not end a clause`(text: String) {
        var segmenter = ClauseSegmenter(configuration: ClauseSegmenter.Configuration())
        var found: [String] = []
        for character in text { found += segmenter.feed(String(character)) }
        #expect(found + (segmenter.finish().map { [$0] } ?? []) == [text])
    }

    @Test(arguments: [
        "It costs 3.50 dollars today.", "Dr. Smith lives there.", "Ask J. Doe about it.", "Use e.g. this one.",
        "At 5 p.m. we leave.",
    ])
    func `full stops inside numbers and abbreviations do not end a clause`(text: String) {
        var segmenter = ClauseSegmenter(configuration: ClauseSegmenter.Configuration())
        var found: [String] = []
        for character in text { found += segmenter.feed(String(character)) }
        #expect(found + (segmenter.finish().map { [$0] } ?? []) == [text])
    }

    @Test func `later clauses are whole sentences`() {
        let text = "Yes, I can do that for you. First take two eggs, then some milk. Stir."
        let found = clauses(tokens(text))
        #expect(found.last == " Stir.")
        #expect(found.contains(" First take two eggs, then some milk."))
    }

    @Test func `white space alone is not a clause`() {
        #expect(clauses([" ", "\n", "  "]) == [])
    }

    @Test func `the clauses joined are the text, whatever the pieces`() {
        let text =
            "Hi! I'm fine… Really; it's 21.5 degrees.\nAnd you?  What, no answer: “nothing”? Émile said “oui”. Good"
        for size in 1...7 {
            let characters = Array(text)
            let pieces = stride(from: 0, to: characters.count, by: size).map {
                String(characters[$0..<min($0 + size, characters.count)])
            }
            let found = clauses(pieces)
            #expect(found.joined() == text)
            #expect(found.allSatisfy { clause in clause.contains { !$0.isWhitespace } })
        }
    }
}
