internal import NIOCore
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite(.serialized, .timeLimit(.minutes(5))) struct CompletionServerTests {
    private static let call = ToolCall(id: "call-1-1", name: "weather", arguments: ["city": "Oslo"])
    private static let tools =
        #","tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{}}}}]"#

    @Test func `a whole reply says what it is and what it cost`() async throws {
        let model = CompletionTestServer.model(saying: ["Good", " day", "."])
        try await CompletionTestServer.run(model) { port in
            try await RawClient.connect(to: port) { client in
                let (reply, json) = try await client.completion(#","model":"scripted","seed":1"#)
                #expect(reply.status == 200)
                #expect(reply.headers["content-type"] == "application/json")
                #expect(json?["object"] == "chat.completion")
                #expect(json?["id"]?.text?.hasPrefix("chatcmpl-") == true)
                #expect(json?["model"] == "scripted")
                #expect((json?["created"]?.whole ?? 0) > 1_700_000_000)
                let choice = json?["choices"]?.elements?.first
                #expect(choice?["message"] == ["role": "assistant", "content": "Good day."])
                #expect(choice?["finish_reason"] == "stop")
                #expect(json?["usage"]?["completion_tokens"] == 3)
                #expect(json?["usage"]?["total_tokens"] == 4)
                #expect(json?["usage"]?["prompt_tokens_details"]?["cached_tokens"] == 0)
                #expect(json?["timings"]?["predicted_n"] == 3)
                // The same connection again, and the identifier of another reply.
                let again = try await client.completion()
                #expect(again.json?["id"] != json?["id"])
            }
        }
        #expect(model.conversations.first == [ChatMessage(.user, "Hi")])
    }

    @Test func `a stream says who speaks, then what, then why it ends, then what it cost`() async throws {
        try await CompletionTestServer.run(CompletionTestServer.model(saying: ["Good", " day"])) { port in
            try await RawClient.connect(to: port) { client in
                let events = try await client.stream(#","stream_options":{"include_usage":true}"#)
                #expect(events.last == "[DONE]")
                let chunks = events.dropLast().map { JSONValue(json: $0) }
                #expect(chunks.allSatisfy { $0?["object"] == "chat.completion.chunk" })
                #expect(Set(chunks.map { $0?["id"]?.text }).count == 1)
                let deltas = chunks.map { $0?["choices"]?.elements?.first?["delta"] }
                #expect(
                    deltas == [
                        ["role": "assistant", "content": ""], ["content": "Good"], ["content": " day"], [:], nil,
                    ]
                )
                let reasons = chunks.map { $0?["choices"]?.elements?.first?["finish_reason"]?.text }
                #expect(reasons == [nil, nil, nil, "stop", nil])
                #expect(chunks.map { $0?["usage"]?["completion_tokens"]?.whole } == [nil, nil, nil, nil, 2])
                #expect(chunks.last??["choices"] == .array([]))
                // Without being asked for, no word of the cost; the connection is used again.
                #expect(try await client.stream().count == 5)
            }
        }
    }

    @Test func `calls come as deltas with names, identifiers and whole arguments`() async throws {
        let second = ToolCall(id: "call-1-2", name: "weather", arguments: ["city": "Rome"])
        let model = CompletionTestServer.model(events: [
            .reasoning("Hm."), .text("One moment."), .toolCall(Self.call), .toolCall(second),
        ])
        try await CompletionTestServer.run(model) { port in
            try await RawClient.connect(to: port) { client in
                let chunks = try await client.stream(Self.tools).dropLast().map { JSONValue(json: $0) }
                let deltas = chunks.compactMap { $0?["choices"]?.elements?.first?["delta"] }
                #expect(deltas.dropFirst().first == ["reasoning_content": "Hm."])
                let calls = deltas.compactMap { $0["tool_calls"]?.elements?.first }
                #expect(calls.map { $0["index"]?.whole } == [0, 1])
                #expect(calls.map { $0["function"]?["name"]?.text } == ["weather", "weather"])
                #expect(
                    calls.map { $0["function"]?["arguments"]?.text } == [#"{"city":"Oslo"}"#, #"{"city":"Rome"}"#]
                )
                #expect(Set(calls.map { $0["id"]?.text }).count == 2)
                #expect(chunks.last??["choices"]?.elements?.first?["finish_reason"] == "tool_calls")

                let (_, json) = try await client.completion(Self.tools + #","parallel_tool_calls":false"#)
                let message = json?["choices"]?.elements?.first?["message"]
                #expect(message?["content"] == "One moment.")
                #expect(message?["reasoning_content"] == "Hm.")
                #expect(message?["tool_calls"]?.elements?.count == 1)
                #expect(message?["tool_calls"]?.elements?.first?["index"] == nil)
            }
        }
    }

    @Test func `the reply is the rest of a message where that is asked for`() async throws {
        let model = CompletionTestServer.model(saying: ["day", "."])
        try await CompletionTestServer.run(model) { port in
            try await RawClient.connect(to: port) { client in
                let asked = #"{"role":"user","content":"Hi"},{"role":"assistant","content":"Good "}"#
                try await client.send(
                    RawClient.completionRequest(#"{"messages":[\#(asked)],"continue_final_message":true}"#)
                )
                let reply = try await client.reply()
                let message = JSONValue(json: reply.body)?["choices"]?.elements?.first?["message"]
                #expect(message?["content"] == "day.")
            }
        }
        #expect(model.conversations == [[ChatMessage(.user, "Hi"), ChatMessage(.assistant, "Good ")]])
        #expect(model.options.map(\.continuesLastMessage) == [true])
    }

    @Test func `a call that cannot be read comes with what was written`() async throws {
        let malformed = MalformedToolCall(name: "weather", text: "<tool_call>{oops", problem: "It is no JSON.")
        try await CompletionTestServer.run(CompletionTestServer.model(events: [.malformedCall(malformed)])) { port in
            try await RawClient.connect(to: port) { client in
                let (_, json) = try await client.completion(Self.tools)
                let choice = json?["choices"]?.elements?.first
                #expect(choice?["finish_reason"] == "tool_calls")
                let call = choice?["message"]?["tool_calls"]?.elements?.first
                #expect(call?["function"] == ["name": "weather", "arguments": "<tool_call>{oops"])
            }
        }
    }

    @Test func `a failure before the first token is a status, one in the middle the last event`() async throws {
        try await CompletionTestServer.run(CompletionTestServer.model(saying: ["!fail"])) { port in
            try await RawClient.connect(to: port) { client in
                let (reply, json) = try await client.completion(#","stream":true"#)
                #expect(reply.status == 500)
                #expect(json?["error"]?["type"] == "server_error")
                #expect(json?["error"]?["code"] == "fault")
            }
        }
        try await CompletionTestServer.run(CompletionTestServer.model(saying: ["Good", "!fail"])) { port in
            try await RawClient.connect(to: port) { client in
                let events = try await client.stream()
                #expect(events.count == 3)
                #expect(
                    JSONValue(json: events[2])?["error"]?["message"]?.text?.contains("fails as it was told") == true
                )
            }
        }
    }

    @Test(arguments: [true, false]) func `a client that leaves ends its reply`(isStreamed: Bool) async throws {
        let clock = ManualClock()
        let model = ScriptedLanguageModel(clock: clock, timePerToken: .seconds(3_600)) { _ in ["Good", " day"] }
        try await CompletionTestServer.run(model, { $0.chats = 1 }, clock: clock) { port in
            try await RawClient.connect(to: port) { client in
                try await client.send(RawClient.completionRequest(RawClient.greeting(#","stream":\#(isStreamed)"#)))
                while model.conversations.isEmpty { await Task.yield() }
            }
            try await RecognitionTestServer.expectMetrics(on: port) { text in
                text.contains("voice_llm_open_sessions 0\n")
                    && text.contains(#"voice_llm_replies_total{reason="cancelled"} 1"#)
            }
        }
    }

    @Test func `one request too many is told to come back, one that waits too long as well`() async throws {
        let clock = ManualClock()
        let model = ScriptedLanguageModel(clock: clock, timePerToken: .seconds(3_600)) { _ in ["Good"] }
        func configure(_ configuration: inout CompletionServer.Configuration) {
            configuration.chats = 1
            configuration.waiting = 1
        }
        try await CompletionTestServer.run(model, configure, clock: clock) { port in
            try await RawClient.connect(to: port) { first in
                try await first.send(RawClient.completionRequest(RawClient.greeting("")))
                while model.conversations.isEmpty { await Task.yield() }
                try await RawClient.connect(to: port) { second in
                    try await second.send(RawClient.completionRequest(RawClient.greeting("")))
                    try await RecognitionTestServer.expect("/health", on: port) {
                        $0.contains(#""sessions":{"active":2"#)
                    }
                    try await RawClient.connect(to: port) { third in
                        let (reply, json) = try await third.completion()
                        #expect(reply.status == 503)
                        #expect(reply.headers["retry-after"] == "5")
                        #expect(json?["error"]?["code"] == "exhausted")
                    }
                    // The server's tick, the model's first token, the second request's patience.
                    while clock.sleeperCount < 3 { await Task.yield() }
                    await TestServer.move(clock, by: .seconds(31))
                    let reply = try await second.reply()
                    #expect(reply.status == 503)
                    #expect(reply.headers["retry-after"] == "5")
                    #expect(reply.body.contains("within 30 s"))
                }
            }
        }
    }

    @Test func `the models are listed, and each has a page`() async throws {
        let model = CompletionTestServer.model(saying: [])
        try await CompletionTestServer.run(model, { $0.aliases = ["my model"] }) { port in
            try await RawClient.connect(to: port) { client in
                let list = try await JSONValue(json: client.get("/v1/models").body)
                #expect(list?["object"] == "list")
                #expect(list?["data"]?.elements?.compactMap { $0["id"]?.text } == ["scripted", "my model"])
                #expect(list?["data"]?.elements?.first?["max_model_len"] == 2_048)
                #expect(try await JSONValue(json: client.get("/v1/models/my%20model").body)?["id"] == "my model")
                let missing = try await client.get("/v1/models/other")
                #expect(missing.status == 404)
                #expect(JSONValue(json: missing.body)?["error"]?["code"] == "model_not_found")
                #expect(try await client.completion(#","model":"my model""#).reply.status == 200)
            }
        }
    }

    @Test func `a key opens the interface, and nothing else does`() async throws {
        try await CompletionTestServer.run(CompletionTestServer.model(saying: ["Hi"]), { $0.key = "secret" }) { port in
            for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic secret\r\n"] {
                try await RawClient.connect(to: port) { client in
                    let reply = try await client.get("/v1/models", headers: headers)
                    #expect(reply.status == 401)
                    #expect(reply.headers["www-authenticate"] == "Bearer")
                    #expect(JSONValue(json: reply.body)?["error"]?["code"] == "invalid_api_key")
                }
            }
            try await RawClient.connect(to: port) { client in
                #expect(try await client.get("/health").status == 200)
                let (reply, _) = try await client.completion(headers: "authorization: bearer secret\r\n")
                #expect(reply.status == 200)
            }
        }
    }

    @Test func `other paths, methods and sizes are refused in OpenAI's form`() async throws {
        try await CompletionTestServer.run(CompletionTestServer.model(saying: [])) { port in
            try await RawClient.connect(to: port) { client in
                let elsewhere = try await client.get("/v1/embeddings")
                #expect(elsewhere.status == 404)
                #expect(JSONValue(json: elsewhere.body)?["error"]?["message"]?.text?.contains("/v1/chat") == true)
                #expect(try await client.get("/v1/chat/completions").status == 405)
                let (wrong, json) = try await client.completion(#","n":2"#)
                #expect(wrong.status == 400)
                #expect(json?["error"]?["param"] == "n")
            }
            try await RawClient.connect(to: port) { client in
                let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                let refusal = try await client.request(head + "Content-Length: 5242880\r\n\r\n")
                #expect(refusal.status == 413)
            }
        }
    }

    @Test func `what was said is counted`() async throws {
        try await CompletionTestServer.run(CompletionTestServer.model(saying: ["Good", " day"])) { port in
            try await RawClient.connect(to: port) { client in
                _ = try await client.completion()
                let metrics = try await client.get("/metrics").body
                #expect(metrics.contains("voice_llm_prompt_tokens_total 1\n"))
                #expect(metrics.contains("voice_llm_generated_tokens_total 2\n"))
                #expect(metrics.contains("voice_llm_cached_tokens_total 0\n"))
                #expect(metrics.contains("voice_llm_first_token_seconds_count 1\n"))
                #expect(metrics.contains(#"voice_llm_replies_total{reason="stop"} 1"#))
                #expect(!metrics.contains("audio_seconds"))
            }
        }
    }
}
