internal import NIOCore
internal import NIOHTTP1
internal import Testing
internal import VoiceCore

@testable internal import VoiceServer

@Suite struct CompletionRequestTests {
    private static let host = CompletionRequest.Host(models: ["small", "alias"], contextLength: 2_048)

    private func read(_ body: String) throws(OpenAIError) -> CompletionRequest {
        try CompletionRequest([ByteBuffer(string: body)], host: Self.host, seed: 7)
    }

    private func read(more: String) throws(OpenAIError) -> CompletionRequest { try read(RawClient.greeting(more)) }

    @Test func `what is not said changes nothing`() throws {
        let request = try read(more: "")
        #expect(request.messages == [ChatMessage(.user, "Hi")])
        #expect(
            request.sampling
                == SamplingOptions(
                    temperature: 1,
                    topK: 0,
                    topP: 1,
                    repeatPenalty: 1,
                    seed: 7,
                    maxTokens: 2_048
                )
        )
        #expect(request.options == ChatOptions())
        #expect(!request.isStreamed && !request.tellsUsage && request.allowsSeveralCalls)
    }

    @Test func `everything that can be asked for is taken`() throws {
        let request = try read(
            more: #"""
                ,"model":"alias","stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"top_p":0.9,"top_k":20,
                "min_p":0.05,"repetition_penalty":1.1,"repeat_penalty":1.1,"max_tokens":10,"max_completion_tokens":20,
                "stop":["a","b"],"seed":-1,"parallel_tool_calls":false,"n":1,"logprobs":false,"logit_bias":{},"user":"me",
                "response_format":{"type":"text"},"presence_penalty":0.0,"top_logprobs":null
                """#
        )
        #expect(
            request.sampling
                == SamplingOptions(
                    temperature: 0.5,
                    topK: 20,
                    topP: 0.9,
                    minP: 0.05,
                    repeatPenalty: 1.1,
                    seed: .max,
                    maxTokens: 20,
                    stop: ["a", "b"]
                )
        )
        #expect(request.isStreamed && request.tellsUsage && !request.allowsSeveralCalls)
    }

    @Test func `a conversation of all roles`() throws {
        let request = try read(
            #"""
            {"messages":[
              {"role":"developer","content":"Be brief."},
              {"role":"user","name":"Ann","content":[{"type":"text","text":"What"},{"type":"text","text":"time?"}]},
              {"role":"assistant","content":null,"reasoning_content":"Hm.","tool_calls":[
                {"id":"c1","type":"function","function":{"name":"now","arguments":"{\"zone\":\"CET\"}"}},
                {"id":"c2","type":"function","function":{"name":"now","arguments":"not JSON"}}]},
              {"role":"tool","tool_call_id":"c1","content":"12:00"},
              {"role":"tool","tool_call_id":"c2","content":"The arguments are no JSON."}]}
            """#
        )
        let calls = [
            ToolCall(id: "c1", name: "now", arguments: ["zone": "CET"]),
            ToolCall(id: "c2", name: "now", arguments: [:]),
        ]
        #expect(
            request.messages == [
                ChatMessage(.system, "Be brief."), ChatMessage(.user, "What\ntime?"),
                ChatMessage(.assistant, "", toolCalls: calls, reasoning: "Hm."), .result(of: calls[0], "12:00"),
                .result(of: calls[1], "The arguments are no JSON."),
            ]
        )
    }

    @Test(arguments: [
        ("", false), (#","continue_final_message":false,"add_generation_prompt":true"#, false),
        (#","continue_final_message":true"#, true),
        (#","continue_final_message":true,"add_generation_prompt":false"#, true),
    ])
    func `a message that was begun is gone on with where that is asked for`(more: String, continues: Bool) throws {
        let messages = #"{"role":"user","content":"Hi"},{"role":"assistant","content":"Good "}"#
        let request = try read(#"{"messages":[\#(messages)]\#(more)}"#)
        #expect(request.options.continuesLastMessage == continues)
        #expect(request.messages.last == ChatMessage(.assistant, "Good "))
    }

    @Test(arguments: [
        #"{"role":"assistant","content":" "}"#, #"{"role":"system","content":"Be brief."}"#,
        #"{"role":"assistant","content":"Good","tool_calls":[{"id":"1","function":{"name":"now","arguments":"{}"}}]}"#,
    ])
    func `nothing else can be gone on with`(last: String) {
        let error = #expect(throws: OpenAIError.self) {
            try read(#"{"messages":[\#(last)],"continue_final_message":true}"#)
        }
        #expect(error?.param == "continue_final_message")
    }

    @Test func `tools are declared, and left out where none may be called`() throws {
        let tools =
            #","tools":[{"type":"function","function":{"name":"now","description":"The time.","strict":false,"#
            + #""parameters":{"type":"object","properties":{"zone":{"type":"string"}}}}}]"#
        let declared = try read(more: tools + #","tool_choice":"auto""#).options.tools
        #expect(declared.map(\.name) == ["now"])
        #expect(declared.first?.description == "The time.")
        #expect(declared.first?.problems(with: ["zone": 1]).isEmpty == false)
        #expect(try read(more: tools + #","tool_choice":"none""#).options.tools.isEmpty)
    }

    @Test(arguments: [
        ("", Reasoning.off), (#","reasoning_effort":"none""#, .off), (#","reasoning_effort":"low""#, .budget(256)),
        (#","reasoning_effort":"high""#, .on), (#","chat_template_kwargs":{"enable_thinking":true}"#, .on),
        (#","chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"high""#, .off),
        (#","chat_template_kwargs":{"thinking":true},"reasoning_effort":"medium""#, .budget(1_024)),
        (#","chat_template_kwargs":{"enable_thinking":true},"thinking_budget_tokens":50"#, .budget(50)),
        (#","thinking_budget_tokens":50"#, .off),
    ])
    func `thoughts are asked for in several ways`(more: String, reasoning: Reasoning) throws {
        #expect(try read(more: more).options.reasoning == reasoning)
    }

    @Test(arguments: [
        (#","n":2"#, "n", "send 1"),
        (#","continue_final_message":true"#, "continue_final_message", "an assistant's message"),
        (#","continue_final_message":true,"add_generation_prompt":true"#, "add_generation_prompt", "the opposite"),
        (#","add_generation_prompt":false"#, "add_generation_prompt", "the opposite"),
        (#","frequency_penalty":0.5"#, "frequency_penalty", "cannot be had here"),
        (#","response_format":{"type":"json_object"}"#, "response_format", "cannot be had"),
        (#","logprobs":true"#, "logprobs", "cannot be had"),
        (#","temprature":1"#, "temprature", "did you mean 'temperature'?"),
        (#","temperature":3"#, "temperature", "from 0 to 2"),
        (#","temperature":"hot""#, "temperature", "must be a number"),
        (#","max_tokens":0"#, "max_tokens", "from 1 on"), (#","max_tokens":1.5"#, "max_tokens", "whole"),
        (#","stop":["a","b","c","d","e"]"#, "stop", "up to four"), (#","stop":"""#, "stop", "1 to 1024"),
        (#","repeat_penalty":1.1,"repetition_penalty":1.2"#, "repeat_penalty", "the same here"),
        (#","repeat_penalty":0.5"#, "repeat_penalty", "from 1 to 10"),
        (#","tool_choice":"required""#, "tool_choice", "cannot force a call"),
        (#","tool_choice":{"type":"function","function":{"name":"now"}}"#, "tool_choice", "auto or none"),
        (#","tools":[{"type":"function"}]"#, "tools[0].function", "with a name"),
        (#","tools":[{"type":"function","function":{"name":"no way"}}]"#, "tools[0].function", "no way"),
        (#","reasoning_effort":"most""#, "reasoning_effort", "one of none"),
        (
            #","chat_template_kwargs":{"enable_thoughts":true}"#, "chat_template_kwargs.enable_thoughts",
            "enable_thinking"
        ),
        (#","stream":1"#, "stream", "true or false"), (#","stream_options":true"#, "stream_options", "an object"),
    ])
    func `a wrong field is named`(more: String, param: String, words: String) {
        let error = #expect(throws: OpenAIError.self) { try read(more: more) }
        #expect(error?.status == .badRequest)
        #expect(error?.param == param)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(
        arguments: [
            ("[]", nil, "not a JSON object"), ("{", nil, "docs/llm-server.md"), ("{}", "messages", "at least one"),
            (#"{"messages":[1]}"#, "messages[0]", "an object"),
            (#"{"messages":[{"role":"bot","content":"Hi"}]}"#, "messages[0].role", "one of system"),
            (#"{"messages":[{"role":"user"}]}"#, "messages[0].content", "must be a text"),
            (
                #"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}"#,
                "messages[0].content", "reads nothing else"
            ), (#"{"messages":[{"role":"tool","content":"1"}]}"#, "messages[0].tool_call_id", "must name"),
            (
                #"{"messages":[{"role":"assistant","tool_calls":[{"id":"1"}]},{"role":"user","content":""}]}"#,
                "messages[0].tool_calls[0].function.name", "must be a text"
            ),
        ] as [(String, String?, String)]
    )
    func `a conversation that is none is refused with the place`(body: String, param: String?, words: String) {
        let error = #expect(throws: OpenAIError.self) { try read(body) }
        #expect(error?.status == .badRequest)
        #expect(error?.param == param)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func `a model that is not there is a page that is not there`() {
        let error = #expect(throws: OpenAIError.self) { try read(more: #","model":"gpt-4o""#) }
        #expect(error?.status == .notFound)
        #expect(error?.code == "model_not_found")
        #expect(error?.message.contains("small, alias") == true)
    }
}
