internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite struct ReplySoFarTests {
    private static let text =
        "The library opens at nine, and on Sundays at ten. It's closed on public holidays; ask me for the list."

    /// What goes out of a reply that breaks off behind the first pieces and goes on with the others.
    private static func said(
        _ first: [String],
        then second: [String],
        by server: CompletionServer.Continuing = .unknown
    ) -> String {
        var reply = ReplySoFar()
        var out = first.map { reply.feed($0) }
        reply.breakOff(for: server)
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
            #expect(Self.said([before], then: pieces, by: .loosely) == whole)
        }
    }

    @Test(arguments: [
        ("The library opens at ni", " nine, and closes.", "The library opens at nine, and closes."),
        ("It costs 3.", "50.", "It costs 3.50."), ("The library opens at ", "nine.", "The library opens at nine."),
        ("No, no, n", " no, no!", "No, no, no, no!"), ("One. Two. ", "  One. Two.", "One. Two. One. Two."),
        ("天天", "天。", "天。"), ("Yes. ", "", "Yes. "), ("Yes", "  ", ""),
    ])
    func `the rest of a message is taken as it is`(before: String, after: String, whole: String) {
        for size in 1...5 {
            let pieces = stride(from: 0, to: after.count, by: size).map { start in
                String(after.dropFirst(start).prefix(size))
            }
            #expect(Self.said([before], then: pieces, by: .exactly) == whole)
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
        // What a server says behind a message without the space at its end.
        let spaced = said.last?.isWhitespace == true ? " " + rest : rest
        #expect(Self.said(Array(first.prefix(count)), then: Self.pieces(spaced, &random), by: .exactly) == Self.text)
    }

    @Test func `the next server is told what was said, and to go on`() {
        var reply = ReplySoFar()
        _ = reply.feed("One two ")
        let asked = [ChatMessage(.user, "Count.")]
        let messages = reply.messages(after: asked, for: .unknown)
        #expect(messages.map(\.role) == [.user, .assistant, .user])
        #expect(messages[1].content == "One two ")
        #expect(messages[2].content == ReplySoFar.instruction)
        for server in [CompletionServer.Continuing.exactly, .loosely] {
            #expect(reply.messages(after: asked, for: server) == asked + [ChatMessage(.assistant, "One two")])
        }
    }

    @Test(
        arguments: [
            ("vllm", .exactly), ("sglang", .exactly), ("repartee", .exactly),
            ("llamacpp", .loosely), ("system", .unknown), (nil, .unknown),
        ] as [(String?, CompletionServer.Continuing)]
    )
    func `who goes on with messages is known by what servers call themselves`(
        owner: String?,
        continues: CompletionServer.Continuing
    ) {
        #expect(CompletionServer.Continuing(owner: owner) == continues)
    }
}
