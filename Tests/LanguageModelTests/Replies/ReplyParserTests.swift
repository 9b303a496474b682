internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

@Suite(.timeLimit(.minutes(5))) struct ReplyParserTests {
    /// A reply and what it holds.
    struct Case: Sendable, CustomTestStringConvertible {
        var format: ToolCallFormat?
        var text: String
        var events: [ReplyEvent]
        var thinks = true
        var beginsInThought = false

        init(_ format: ToolCallFormat?, _ text: String, _ events: [ReplyEvent]) {
            (self.format, self.text, self.events) = (format, text, events)
        }

        var testDescription: String { text }

        /// The same reply after a prompt that has opened the thoughts.
        var thought: Case {
            var other = self
            other.beginsInThought = true
            return other
        }

        func parser() throws -> ReplyParser {
            let parameters: JSONValue = [
                "type": "object",
                "properties": [
                    "name": ["type": "string"], "party": ["type": "integer"],
                    "price": ["type": .array(["number", "null"])],
                    "vegan": ["type": "boolean"], "wishes": ["type": "array"], "guest": ["type": "object"],
                    "table": ["enum": .array(["12", 12])],
                ],
            ]
            let tools = [
                try ToolDeclaration(name: "book", description: "Books a table.", parameters: parameters),
                try ToolDeclaration(name: "bye", description: ""),
            ]
            return ReplyParser(
                calls: format,
                tools: format == nil ? [] : tools,
                thinks: thinks,
                beginsInThought: beginsInThought,
                callPrefix: "c"
            )
        }
    }

    private static func call(_ name: String, _ arguments: JSONObject = [:], id: Int = 1) -> ReplyEvent {
        .toolCall(ToolCall(id: "c\(id)", name: name, arguments: arguments))
    }

    private static func malformed(_ text: String, _ problem: String, name: String? = nil) -> ReplyEvent {
        .malformedCall(MalformedToolCall(name: name, text: text, problem: problem))
    }

    // MARK: - What replies hold

    static let texts: [Case] = [
        Case(nil, "", []), Case(nil, "Hello there. ", [.text("Hello there. ")]),
        Case(.tagged, "Hello there.  \n", [.text("Hello there.  \n")]),
        Case(.tagged, "1 < 2 </b> <tool> <thing>", [.text("1 < 2 </b> <tool> <thing>")]),
        Case(.tagged, "a <", [.text("a <")]), Case(.tagged, "é👩‍👩‍👧<tool\u{301}>", [.text("é👩‍👩‍👧<tool\u{301}>")]),
        Case(.bare, "Sure {\"name\": 1}. Good {", [.text("Sure {\"name\": 1}. Good {")]),
        Case(.bare, "{\"a\": 1}\n{ \n[]}", [.text("{\"a\": 1}\n{ \n[]}")]),
        Case(.bare, "<tool_call>{}</tool_call>", [.text("<tool_call>{}</tool_call>")]),
        // Cut off inside of markup.
        Case(.tagged, "One moment. <tool_c", [.text("One moment. ")]), Case(.tagged, "Hm</thin", [.text("Hm")]),
        Case(.bare, "So\n{\"na", [.text("So\n")]),
    ]

    static let thoughts: [Case] = [
        Case(nil, "<think>\nHm.\n</think>\n\nHello", [.reasoning("Hm."), .text("Hello")]),
        Case(nil, "<think>\n\n</think>\n\nHello ", [.text("Hello ")]),
        Case(nil, "<think></think>Hello", [.text("Hello")]), Case(nil, "Hel</think>lo", [.text("Hello")]),
        Case(nil, "Well <think> hm </think> then", [.text("Well "), .reasoning("hm"), .text("then")]),
        Case(nil, "Hm.\n\nYes. \n</think>\nHello", [.reasoning("Hm.\n\nYes."), .text("Hello")]).thought,
        Case(nil, "\n<think>a < b</think>c", [.reasoning("a < b"), .text("c")]).thought,
        Case(nil, "never ended <tool_call>", [.reasoning("never ended <tool_call>")]).thought,
        Case(nil, "cut off </thi", [.reasoning("cut off ")]).thought,
        Case(
            .tagged,
            "Hm <tool_call> hm</think><tool_call>{\"name\":\"bye\"}</tool_call>",
            [.reasoning("Hm <tool_call> hm"), call("bye")]
        ).thought,
    ]

    static let tagged: [Case] = [
        Case(.tagged, "<tool_call>\n{\"name\": \"bye\", \"arguments\": {}}\n</tool_call>", [call("bye")]),
        Case(
            .tagged,
            "One moment. \n\n<tool_call>\n{\"name\": \"book\", \"arguments\": {\"party\": 2, \"name\": \"Zoë </tool_call> \\\"Z\\\"\"}}\n</tool_call>\n",
            [.text("One moment."), call("book", ["party": 2, "name": "Zoë </tool_call> \"Z\""])]
        ),
        Case(
            .tagged,
            "<tool_call>{\"name\":\"bye\"}</tool_call>\n<tool_call>{\"name\":\"book\",\"arguments\":\"{\\\"party\\\": 2}\"}</tool_call> And?",
            [call("bye"), call("book", ["party": 2], id: 2), .text("And?")]
        ),
        Case(
            .tagged,
            "<tool_call>[{\"name\":\"bye\",\"arguments\":{}}, {\"function\":{\"name\":\"x\",\"parameters\":{\"a\":[]}}}]\n{\"name\":\"bye\"}",
            [call("bye"), call("x", ["a": .array([])], id: 2), call("bye", id: 3)]
        ),
        Case(
            .tagged,
            """
            Yes.<tool_call>
            <function=book>
            <parameter=name>
            Anna
            <b>and</b> friends

            </parameter>
            <parameter=party>
            12
            </parameter>
            <parameter=price>None</parameter>
            <parameter=vegan>
            True
            </parameter><parameter=wishes>["a", 1]</parameter>
            <parameter=guest>{"id": 7}</parameter>
            <parameter=table>12</parameter>
            <parameter=more>3</parameter>
            </function>
            </tool_call>
            <tool_call>
            <function=bye>
            </function>
            </tool_call>
            """,
            [
                .text("Yes."),
                call(
                    "book",
                    [
                        "name": "Anna\n<b>and</b> friends\n", "party": 12, "price": .null, "vegan": true,
                        "wishes": .array(["a", 1]), "guest": ["id": 7], "table": "12", "more": "3",
                    ]
                ), call("bye", id: 2),
            ]
        ),
        // Several functions in one block.
        Case(
            .tagged,
            "<tool_call><function=bye></function>\n<function=book><parameter=party>2</parameter></function></tool_call>",
            [call("bye"), call("book", ["party": 2], id: 2)]
        ),
        // A value that does not have its type stays a text, and the end of a value is the only thing that ends it.
        Case(
            .tagged,
            "<tool_call><function=book><parameter=party>two</parameter><parameter=name></tool_call></think></parameter></tool_call>",
            [call("book", ["party": "two", "name": "</tool_call></think>"])]
        ),
        Case(
            .tagged,
            "<tool_call><function=unknown><parameter=a>1</parameter></function>",
            [call("unknown", ["a": "1"])]
        ),
    ]

    static let bare: [Case] = [
        Case(.bare, "{\"name\": \"bye\", \"parameters\": {}}", [call("bye")]),
        Case(
            .bare,
            " \n{ \"name\" : \"book\", \"parameters\": {\"name\": \"}{\\\"\", \"party\": 2}}",
            [call("book", ["name": "}{\"", "party": 2])]
        ),
        Case(
            .bare,
            "<|python_tag|>{\"type\": \"function\", \"name\": \"bye\", \"parameters\": {}}; {\"name\": \"book\"}, {\"name\": \"bye\"}",
            [call("bye"), call("book", id: 2), call("bye", id: 3)]
        ),
        Case(
            .bare,
            "One moment.\n\n{\"function\": {\"name\": \"bye\"}}\nDone {\"name\"",
            [.text("One moment."), call("bye"), .text("Done {\"name\"")]
        ),
    ]

    static let broken: [Case] = [
        Case(
            .tagged,
            "A <tool_call>",
            [.text("A"), malformed("<tool_call>", "The call is not finished: what is to be called is missing.")]
        ),
        Case(
            .tagged,
            "<tool_call> </tool_call>B",
            [
                malformed("<tool_call> </tool_call>", "A call must begin with <function=NAME>."), .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call>book(2)</tool_call>B",
            [
                malformed("<tool_call>book(2)</tool_call>", "A call must be <function=NAME> or an object of JSON."),
                .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call>{\"name\": \"bye\"</tool_call>B",
            [
                malformed("<tool_call>{\"name\": \"bye\"</tool_call>", "The object of the call has no end."),
                .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call>{\"name\": bye}</tool_call>B",
            [
                malformed(
                    "<tool_call>{\"name\": bye}</tool_call>",
                    "The call is not valid JSON. Quote names and texts, and escape line breaks in them."
                ), .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call>{\"arguments\": {}}</tool_call>",
            [
                malformed(
                    "<tool_call>{\"arguments\": {}}</tool_call>",
                    "The call does not say what is to be called: `name` is missing."
                )
            ]
        ),
        Case(
            .tagged,
            "<tool_call>{\"name\":\"bye\"}{\"name\":\"book\",\"arguments\":[1]}</tool_call>",
            [
                call("bye"),
                malformed(
                    "<tool_call>{\"name\":\"bye\"}{\"name\":\"book\",\"arguments\":[1]}</tool_call>",
                    "The arguments of `book` must be an object of JSON.",
                    name: "book"
                ),
            ]
        ),
        Case(
            .tagged,
            "<tool_call><function=book><party>2</party></function></tool_call>B",
            [
                malformed(
                    "<tool_call><function=book><party>2</party></function></tool_call>",
                    "Between parameters there may only be <parameter=NAME> or </function>.",
                    name: "book"
                ), .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call><function=></function></tool_call>B",
            [
                malformed(
                    "<tool_call><function=></function></tool_call>",
                    "The name of a function must be a word that > ends."
                ),
                .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call><function=book><parameter=a b>2</parameter></tool_call>B",
            [
                malformed(
                    "<tool_call><function=book><parameter=a b>2</parameter></tool_call>",
                    "The name of a parameter must be a word that > ends.",
                    name: "book"
                ), .text("B"),
            ]
        ),
        Case(
            .tagged,
            "<tool_call><function=book><parameter=party>2",
            [
                malformed(
                    "<tool_call><function=book><parameter=party>2",
                    "The call is not finished: </parameter> is missing.",
                    name: "book"
                )
            ]
        ),
        Case(
            .tagged,
            "<tool_call><function=book><parameter=party>2</parameter>",
            [
                malformed(
                    "<tool_call><function=book><parameter=party>2</parameter>",
                    "The call is not finished: </function> is missing.",
                    name: "book"
                )
            ]
        ),
        Case(
            .bare,
            "{\"name\": \"bye\", \"parameters\": {\"a\": \"",
            [
                malformed(
                    "{\"name\": \"bye\", \"parameters\": {\"a\": \"",
                    "The call is not finished: the end of the object is missing."
                )
            ]
        ),
        Case(
            .bare,
            "Hm <|python_tag|>print(1)\n{\"name\": \"bye\"}",
            [
                .text("Hm"), malformed("print(1)\n{\"name\": \"bye\"}", "A call must be an object of JSON."),
            ]
        ),
        Case(
            .bare,
            "{\"parameters\": {}}\nSo",
            [
                malformed("{\"parameters\": {}}", "The call does not say what is to be called: `name` is missing."),
                .text("So"),
            ]
        ),
    ]

    static let all = texts + thoughts + tagged + bare + broken

    // MARK: - Splits

    /// The events of a reply that comes in pieces, with neighbouring texts joined.
    private func events(_ reply: Case, _ pieces: [Substring]) throws -> [ReplyEvent] {
        var parser = try reply.parser()
        let events = pieces.flatMap { parser.feed(String($0)) } + parser.finish()
        for event in events {
            if case .text(let text) = event { #expect(!text.isEmpty) }
            if case .reasoning(let text) = event { #expect(!text.isEmpty) }
        }
        return joined(events)
    }

    private func joined(_ events: [ReplyEvent]) -> [ReplyEvent] {
        events.reduce(into: []) { joined, event in
            switch (joined.last, event) {
            case (.text(let first)?, .text(let second)): joined[joined.count - 1] = .text(first + second)
            case (.reasoning(let first)?, .reasoning(let second)): joined[joined.count - 1] = .reasoning(first + second)
            default: joined.append(event)
            }
        }
    }

    @Test(arguments: all)
    func `a reply that comes whole is taken apart`(reply: Case) throws {
        #expect(try events(reply, [reply.text[...]]) == reply.events)
    }

    @Test(arguments: all)
    func `however a reply is split, the events are the same`(reply: Case) throws {
        let scalars = reply.text.unicodeScalars
        #expect(try events(reply, scalars.indices.map { reply.text[$0..<scalars.index(after: $0)] }) == reply.events)
        let cuts = Array(scalars.indices)
        // Every pair of cuts where that is a thousand parses or so, else every cut and those a few signs behind it.
        let reach = cuts.count <= 60 ? cuts.count : 12
        for (index, first) in cuts.enumerated() {
            for second in cuts[index...].prefix(reach) {
                let found = try events(
                    reply,
                    [reply.text[..<first], reply.text[first..<second], reply.text[second...]]
                )
                guard found == reply.events else {
                    Issue.record("split at \(reply.text[..<first]) | \(reply.text[first..<second]): \(found)")
                    return
                }
            }
        }
    }

    @Test(arguments: tagged + bare)
    func `a call is known as soon as its last sign is there`(reply: Case) throws {
        var parser = try reply.parser()
        var seen = 0
        for (index, scalar) in reply.text.unicodeScalars.enumerated() {
            for event in parser.feed(String(scalar)) {
                guard case .toolCall = event else { continue }
                let rest = reply.text.unicodeScalars.dropFirst(index + 1)
                #expect(scalar == ">" || scalar == "}", "\(rest)")
                seen += 1
            }
        }
        let late = parser.finish().count { if case .toolCall = $0 { true } else { false } }
        let all = reply.events.count { if case .toolCall = $0 { true } else { false } }
        // Only what lacks its last mark is known later.
        #expect(seen + late == all && (late == 0 || !reply.text.contains("</tool_call>")))
    }

    @Test func `text is held back for a few signs only`() throws {
        var parser = try Case(.tagged, "", []).parser()
        #expect(parser.feed("Hello") == [.text("Hello")] && !parser.isHolding)
        #expect(parser.feed(" ") == [] && parser.isHolding)
        #expect(parser.feed("you") == [.text(" you")])
        #expect(parser.feed("<tool_cal") == [] && parser.isHolding)
        #expect(parser.feed("m") == [.text("<tool_calm")])
    }

    @Test func `a call without end is not kept without end`() throws {
        for opening in ["<tool_call>{\"name\": \"", "<tool_call><function=book><parameter=name>"] {
            var parser = try Case(.tagged, "", []).parser()
            var events = parser.feed(opening)
            for _ in 0..<300 { events += parser.feed(String(repeating: "many words ", count: 100)) }
            events += parser.feed("</tool_call>So")
            guard case .malformedCall(let call)? = events.first else {
                Issue.record("\(events)")
                continue
            }
            #expect(call.problem == "The call is longer than 64 KiB.")
            #expect(call.text.utf8.count <= 500 && events.dropFirst() == [.text("So")])
        }
    }

    @Test func `a model without thoughts and calls says what it says`() throws {
        var reply = Case(nil, "", [])
        reply.thinks = false
        var parser = try reply.parser()
        #expect(parser.feed("<think> <tool_call> ") == [.text("<think> <tool_call> ")])
        #expect(parser.feed("") == [] && parser.finish() == [])
    }
}
