internal import VoiceCore

@testable internal import LanguageModels

extension FuzzTarget {
    /// A language model's reply, from which thoughts and calls are taken: whatever a model writes is read by this.
    ///
    /// Claims: however a reply is split, its events are the same; no text holds a mark; what comes out is no more than what
    /// came; of a malformed call little is kept, and what is wrong with it is said.
    static let calls = FuzzTarget(name: "calls", seeds: { Replies.seeds }) { bytes in
        var input = FuzzInput(bytes)
        let (form, cut) = (input.byte(), Int(input.byte()))
        let reply = String(decoding: input.rest(), as: UTF8.self)
        let whole = try Replies.events(form, [reply[...]])
        let scalars = Array(reply.unicodeScalars.indices)
        let middle = scalars.isEmpty ? reply.startIndex : scalars[cut % scalars.count]
        try claim(try Replies.events(form, [reply[..<middle], reply[middle...]]) == whole, "two pieces say the same")
        let letters = scalars.map { reply[$0..<reply.unicodeScalars.index(after: $0)] }
        try claim(try Replies.events(form, letters) == whole, "single signs say the same")
        var kept = 0
        for event in whole {
            switch event {
            case .text(let text), .reasoning(let text): kept += text.utf8.count
            case .toolCall(let call):
                kept += call.name.utf8.count
                try claim(!call.name.isEmpty, "a call has a name")
                try claim(JSONValue(json: JSONValue.object(call.arguments).json) != nil, "arguments are JSON")
            case .malformedCall(let call):
                try claim(call.text.utf8.count <= 1600 && !call.problem.isEmpty, "errors are short")
            case .finished, .delayed, .completeness: throw BrokenClaim(description: "a parser ends no reply")
            }
        }
        // Bytes that are no text have become three each before.
        try claim(kept <= reply.utf8.count, "no more comes out than came")
    }
}

private enum Replies {
    static let seeds: [[UInt8]] = [
        (0, "Hello there. <think>Hm.</think>\nYes."), (2, "Which?\n</think>\n\nHello"),
        (
            1,
            "One moment.\n<tool_call>\n{\"name\": \"book\", \"arguments\": {\"party\": 2, \"a\": [\"</tool_call>\"]}}\n</tool_call>"
        ),
        (
            1,
            "<tool_call>[{\"name\":\"a\"},{\"function\":{\"name\":\"b\",\"parameters\":{}}}]{\"name\":\"c\"}</tool_call>So"
        ),
        (
            1,
            "<tool_call>\n<function=book>\n<parameter=party>\n2\n</parameter>\n<parameter=a>\nb\n</parameter>\n</function>\n</tool_call>"
        ),
        (5, "{\"name\": \"book\", \"parameters\": {\"party\": \"2\"}}; {\"name\": \"b\"}"),
        (5, "<|python_tag|>{\"type\": \"function\", \"name\": \"book\"}\nSo {"),
    ].map { [$0.0, 7] + Array($0.1.utf8) }

    /// What a reply holds, with neighbouring texts joined.
    /// - Parameter form: bit 0: there are tagged calls; 1: the reply begins in thought; 2: calls are bare, and there are no
    ///   thoughts; 3: there are no tools.
    static func events(_ form: UInt8, _ pieces: [Substring]) throws -> [ReplyEvent] {
        let parameters: JSONValue = ["type": "object", "properties": ["party": ["type": .array(["integer", "null"])]]]
        var parser = ReplyParser(
            calls: form & 4 != 0 ? .bare : form & 1 != 0 ? .tagged : nil,
            tools: form & 8 == 0 ? [try ToolDeclaration(name: "book", description: "", parameters: parameters)] : [],
            thinks: form & 4 == 0,
            beginsInThought: form & 6 == 2,
            callPrefix: "c"
        )
        let events = pieces.flatMap { parser.feed(String($0)) } + parser.finish()
        for case .text(let text) in events where form & 7 == 1 {
            try claim(!["<tool_call>", "<think>", "</think>"].contains(where: text.contains), "no text holds a mark")
        }
        return events.reduce(into: []) { joined, event in
            switch (joined.last, event) {
            case (.text(let first)?, .text(let second)): joined[joined.count - 1] = .text(first + second)
            case (.reasoning(let first)?, .reasoning(let second)):
                joined[joined.count - 1] = .reasoning(first + second)
            default: joined.append(event)
            }
        }
    }
}
