internal import Testing
internal import VoiceCore

@testable internal import LanguageModels

/// Chunks as servers send them, in OpenAI's form and in others that were seen.
@Suite struct CompletionStreamTests {
    private func events(_ chunks: [String], reasoning: Reasoning = .off) throws -> [ReplyEvent] {
        var stream = CompletionStream(callPrefix: "call_1_", reasoning: reasoning)
        var events: [ReplyEvent] = []
        for chunk in chunks { events += try stream.feed(chunk) }
        return events + stream.finish()
    }

    private func usage(_ prompt: Int, _ cached: Int, _ generated: Int, truncated: Bool = false) -> ReplyEvent {
        .finished(
            ReplyUsage(promptTokens: prompt, cachedTokens: cached, generatedTokens: generated),
            truncated: truncated
        )
    }

    private func call(_ id: String, _ name: String, _ arguments: JSONObject) -> ReplyEvent {
        .toolCall(ToolCall(id: id, name: name, arguments: arguments))
    }

    private func delta(_ delta: String, reason: String = "null") -> String {
        #"{"choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}]}"#
    }

    @Test func `text comes piece by piece, what it cost at the end`() throws {
        let events = try events([
            delta(#"{"role":"assistant","content":""}"#), delta(#"{"content":"Hel"}"#), delta(#"{"content":"lo"}"#),
            delta("{}", reason: #""stop""#),
            #"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":7}}}"#,
            "[DONE]",
        ])
        #expect(events == [.text("Hel"), .text("lo"), usage(9, 7, 2)])
    }

    @Test func `a reply that met its limit is truncated`() throws {
        #expect(
            try events([delta(#"{"content":"a"}"#, reason: #""length""#)]) == [
                .text("a"), usage(0, 0, 0, truncated: true),
            ]
        )
    }

    @Test func `calls are put together from pieces, in parallel`() throws {
        let events = try events([
            delta(#"{"content":"One moment."}"#),
            delta(
                #"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"book","arguments":""}}]}"#
            ),
            delta(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"day\": "}}]}"#),
            delta(#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"look","arguments":"{}"}}]}"#),
            delta(#"{"tool_calls":[{"index":0,"function":{"arguments":"\"Monday\"}"}}]}"#),
            delta("{}", reason: #""tool_calls""#),
        ])
        #expect(
            events == [
                .text("One moment."), call("a", "book", ["day": "Monday"]), call("b", "look", [:]), usage(0, 0, 0),
            ]
        )
    }

    @Test func `wrong indices and missing identifiers do not mix calls up`() throws {
        // All with index 0, each with a name of its own.
        let indices = try events([
            delta(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"one","arguments":"{\"x\":1}"}}]}"#),
            delta(#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"two","arguments":"{\"x\""}}]}"#),
            delta(#"{"tool_calls":[{"index":0,"id":"b","function":{"arguments":":2}"}}]}"#),
        ])
        #expect(indices == [call("a", "one", ["x": 1]), call("b", "two", ["x": 2]), usage(0, 0, 0)])
        // No identifiers; the second one's arguments as an object.
        let anonymous = try events([
            delta(#"{"tool_calls":[{"function":{"name":"one"}}]}"#),
            delta(#"{"tool_calls":[{"function":{"arguments":"{}"}}]}"#),
            delta(#"{"tool_calls":[{"function":{"name":"two","arguments":{"x":3}}}]}"#),
        ])
        #expect(anonymous == [call("call_1_0", "one", [:]), call("call_1_1", "two", ["x": 3]), usage(0, 0, 0)])
    }

    @Test func `a call whose arguments are no JSON is told, not thrown`() throws {
        let events = try events([
            delta(#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"book","arguments":"{\"day\": Mon"}}]}"#)
        ])
        guard case .malformedCall(let call)? = events.first else {
            Issue.record("no malformed call")
            return
        }
        #expect(call.name == "book")
        #expect(call.text == #"{"day": Mon"#)
    }

    @Test func `thoughts are not said, in either spelling`() throws {
        let chunks = [
            delta(#"{"reasoning_content":"hm"}"#), delta(#"{"reasoning":"…"}"#), delta(#"{"content":"Yes."}"#),
        ]
        #expect(
            try events(chunks, reasoning: .on) == [.reasoning("hm"), .reasoning("…"), .text("Yes."), usage(0, 0, 0)]
        )
        #expect(try events(chunks) == [.text("Yes."), usage(0, 0, 0)])
    }

    @Test func `where nothing was to be thought, what came as thought alone is the answer`() throws {
        #expect(try events([delta(#"{"reasoning_content":"Yes."}"#)]) == [.text("Yes."), usage(0, 0, 0)])
    }

    @Test(arguments: ["", "nonsense", "[]", "{\"a\":", "7"]) func `what is no chunk is refused`(data: String) {
        let error = #expect(throws: VoiceError.self) { _ = try events([data]) }
        #expect(error?.code == .malformedInput)
    }

    @Test(arguments: [
        "{}", #"{"choices":[]}"#, #"{"choices":[{}]}"#, #"{"choices":[{"delta":null}]}"#, #"{"choices":{"delta":1}}"#,
        #"{"choices":[{"delta":{"content":7,"tool_calls":[1,null,{}]}}]}"#, #"{"usage":{"prompt_tokens":-4}}"#,
    ])
    func `a chunk without anything in it does nothing that matters`(data: String) throws {
        let last = try events([data]).last
        #expect(last == usage(0, 0, 0))
    }

    @Test func `an error in the stream is told in the server's words`() {
        let error = #expect(throws: VoiceError.self) {
            _ = try events([#"{"error":{"message":"out of memory","code":500}}"#])
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("out of memory") == true)
    }

    @Test func `a reply without end is cut off`() {
        let error = #expect(throws: VoiceError.self) {
            _ = try events(
                Array(repeating: delta("{\"content\":\"\(String(repeating: "a", count: 40_000))\"}"), count: 30)
            )
        }
        #expect(error?.code == .malformedInput)
        let calls = #expect(throws: VoiceError.self) {
            _ = try events((0..<100).map { delta(#"{"tool_calls":[{"id":"\#($0)","function":{"name":"a"}}]}"#) })
        }
        #expect(calls?.code == .malformedInput)
    }
}
