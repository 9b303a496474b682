internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite struct ReplySoFarTests {
    private static let text =
        "The library opens at nine, and on Sundays at ten. It's closed on public holidays; ask me for the list."

    /// What goes out of a reply that breaks off behind the first pieces and goes on with the others.
    private static func said(_ first: [String], then second: [String]) -> String {
        var reply = ReplySoFar()
        var out = first.map { reply.feed($0) }
        reply.breakOff()
        out += second.map { reply.feed($0) }
        out.append(reply.finish())
        #expect(out.joined() == reply.said)
        return reply.said
    }

    private static func pieces(_ text: String, _ random: inout SplitMix64) -> [String] {
        var pieces: [String] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(Int.random(in: 1...7, using: &random))))
            rest = rest.dropFirst(pieces.last?.count ?? 1)
        }
        return pieces
    }

    @Test func `words go out when they are whole`() {
        var reply = ReplySoFar()
        #expect(reply.feed("The lib") == "The ")
        #expect(reply.feed("rary") == "")
        #expect(reply.feed(" don") == "library ")
        #expect(reply.feed("'t. Ye") == "don't. ")
        #expect(reply.finish() == "Ye")
    }

    @Test func `languages without spaces are not held up for ever`() {
        var reply = ReplySoFar()
        let out = (0..<60).map { _ in reply.feed("天") }.joined()
        #expect(out.count >= 41)
    }

    @Test(arguments: [
        // It goes on as it was told to.
        ("The library opens at ni", "nine, and closes at five.", "The library opens at nine, and closes at five."),
        ("The library opens at ni", " nine.", "The library opens at nine."),
        ("The library opens.", "On Sundays, too.", "The library opens. On Sundays, too."),
        ("The library opens at nine", ", and closes.", "The library opens at , and closes."),
        // It begins again.
        (
            "The library opens at nine. On", "The library opens at nine. On Sundays at ten.",
            "The library opens at nine. On Sundays at ten."
        ),
        ("The library opens at nine. On", "on Sundays at ten.", "The library opens at nine. on Sundays at ten."),
        // The sentence again.
        ("It is. The library opens at ni", "The library opens at nine.", "It is. The library opens at nine."),
        // The last words again.
        ("The library opens at ", "opens at nine.", "The library opens at nine."),
        // Nothing but what was said.
        ("The library opens at nine. ", "The library opens.", "The library opens at nine. "),
        // Something else.
        ("The library opens at ", "I do not know.", "The library opens at I do not know."),
    ])
    func `what is said again is left out`(before: String, after: String, whole: String) {
        for size in 1...9 {
            let pieces = stride(from: 0, to: after.count, by: size).map { start in
                String(after.dropFirst(start).prefix(size))
            }
            #expect(Self.said([before], then: pieces) == whole)
        }
    }

    @Test(arguments: 0..<400)
    func `wherever it breaks, the whole is said once`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let first = Self.pieces(Self.text, &random)
        let count = Int.random(in: 1..<first.count, using: &random)
        var reply = ReplySoFar()
        for piece in first.prefix(count) { _ = reply.feed(piece) }
        let said = reply.said
        let rest = String(Self.text.dropFirst(said.count))
        // The next server goes on, with or without the space, or begins again.
        let answers = [rest, String(rest.drop(while: \.isWhitespace)), Self.text]
        let answer = answers[Int(seed % 3)]
        #expect(Self.said(Array(first.prefix(count)), then: Self.pieces(answer, &random)) == Self.text)
    }

    @Test func `the next server is told what was said, and to go on`() {
        var reply = ReplySoFar()
        _ = reply.feed("One two ")
        let messages = reply.messages(after: [ChatMessage(.user, "Count.")])
        #expect(messages.map(\.role) == [.user, .assistant, .user])
        #expect(messages[1].content == "One two ")
        #expect(messages[2].content == ReplySoFar.instruction)
    }
}
