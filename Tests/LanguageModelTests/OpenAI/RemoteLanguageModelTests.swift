internal import NIOHTTP1
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import LanguageModels

/// Against servers that answer, stall, break off and refuse.
@Suite(.timeLimit(.minutes(5))) struct RemoteLanguageModelTests {
    typealias Answer = ScriptedHTTPServer.Answer
    typealias Request = ScriptedHTTPServer.Request

    private static let question = [ChatMessage(.system, "Be short."), ChatMessage(.user, "Hello?")]

    private static func events(_ chunks: [String], ending: ScriptedHTTPServer.Ending = .complete) -> Answer {
        Answer(
            headers: ["Content-Type": "text/event-stream"],
            body: Array(chunks.map { "data: \($0)\n\n" }.joined().utf8),
            ending: ending,
            piece: 7
        )
    }

    private static func said(_ texts: String..., ending: ScriptedHTTPServer.Ending = .complete) -> Answer {
        let chunks = texts.map { #"{"choices":[{"delta":{"content":"\#($0)"}}]}"# }
        let end = [
            #"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#,
            "[DONE]",
        ]
        return events(chunks + (ending == .complete ? end : []), ending: ending)
    }

    private static func list(_ names: String...) -> Answer {
        let data = names.map { #"{"id":"\#($0)"}"# }.joined(separator: ",")
        return Answer(headers: ["Content-Type": "application/json"], body: Array(#"{"data":[\#(data)]}"#.utf8))
    }

    /// Runs a model against a server that lists `some-model` and answers completions by the script.
    private func run(
        configuration: RemoteLanguageModel.Configuration = .init(),
        _ script: @escaping @Sendable (Request, Int) -> Answer,
        _ body: (any Chat, _ requests: @escaping @Sendable () -> [Request]) async throws -> Void
    ) async throws {
        let asked = Counter()
        try await ScriptedHTTPServer.run({ request, _ in
            request.uri == "/v1/models" ? Self.list("some-model", "other") : script(request, asked.next())
        }) { port, requests in
            let address = try CompletionAddress("http://127.0.0.1:\(port)", from: "test")
            let model = try await RemoteLanguageModel(address: address, configuration: configuration)
            try await body(try await model.openChat()) { requests().filter { $0.uri != "/v1/models" } }
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count - 1
            }
        }
    }

    private func reply(
        _ chat: any Chat,
        options: ChatOptions = ChatOptions(),
        _ messages: [ChatMessage] = question
    ) async throws -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        let stream = chat.reply(to: messages, sampling: SamplingOptions(), options: options, urgency: nil)
        for try await event in stream { events.append(event) }
        return events
    }

    private static let whole: [ReplyEvent] = [
        .text("Good"), .text(" day."),
        .finished(ReplyUsage(promptTokens: 5, cachedTokens: 0, generatedTokens: 2), truncated: false),
    ]

    @Test func `a reply streams, and the request says what was wanted`() async throws {
        let configuration = RemoteLanguageModel.Configuration(key: "secret")
        try await run(configuration: configuration, { _, _ in Self.said("Good", " day.") }) { chat, requests in
            let tool = try ToolDeclaration(name: "look", description: "Looks.")
            let call = ToolCall(id: "c1", name: "look", arguments: ["far": true])
            let messages =
                Self.question + [ChatMessage(.assistant, "", toolCalls: [call]), .result(of: call, "nothing")]
            let events = try await reply(chat, options: ChatOptions(tools: [tool]), messages)
            #expect(events == Self.whole)
            let request = try #require(requests().first)
            #expect(request.uri == "/v1/chat/completions")
            #expect(request.headers["Authorization"] == ["Bearer secret"])
            let body = try #require(JSONValue(json: String(decoding: request.body, as: UTF8.self)))
            #expect(body["model"] == "some-model")
            #expect(body["stream"] == true)
            #expect(body["chat_template_kwargs"]?["enable_thinking"] == false)
            #expect(body["tools"]?.elements?.first?["function"]?["name"] == "look")
            let sent = try #require(body["messages"]?.elements)
            #expect(sent.map { $0["role"]?.text } == ["system", "user", "assistant", "tool"])
            #expect(sent[2]["tool_calls"]?.elements?.first?["function"]?["arguments"] == #"{"far":true}"#)
            #expect(sent[3]["tool_call_id"] == "c1")
        }
    }

    @Test func `a server that does not know the extensions is asked without them, from then on`() async throws {
        try await run({ request, _ in
            String(decoding: request.body, as: UTF8.self).contains("chat_template_kwargs")
                ? Answer(status: .badRequest, body: Array(#"{"error":{"message":"Unknown parameter"}}"#.utf8))
                : Self.said("Good", " day.")
        }) { chat, requests in
            let reply1 = try await reply(chat)
            #expect(reply1 == Self.whole)
            let reply2 = try await reply(chat)
            #expect(reply2 == Self.whole)
            #expect(requests().count == 3)
        }
    }

    @Test func `a refusal is told in the server's words`() async throws {
        try await run({ _, _ in
            Answer(status: .badRequest, body: Array(#"{"error":{"message":"context too long"}}"#.utf8))
        }) { chat, _ in
            let error = await #expect(throws: VoiceError.self) { _ = try await reply(chat) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("context too long") == true)
        }
    }

    @Test func `a connection that breaks before the first piece is tried again, once`() async throws {
        try await run({ _, number in number == 0 ? Self.events([], ending: .cut) : Self.said("Good", " day.") }) {
            chat,
            requests in
            let reply3 = try await reply(chat)
            #expect(reply3 == Self.whole)
            #expect(requests().count == 2)
        }
        try await run({ _, _ in Self.events([], ending: .cut) }) { chat, requests in
            let error = await #expect(throws: VoiceError.self) { _ = try await reply(chat) }
            #expect(error?.code == .unavailable)
            #expect(requests().count == 2)
        }
    }

    @Test func `one that breaks later fails, and is not said again`() async throws {
        try await run({ _, _ in Self.said("Good", ending: .cut) }) { chat, requests in
            var events: [ReplyEvent] = []
            var code: VoiceError.Code?
            do {
                for try await event in chat.reply(to: Self.question, sampling: SamplingOptions()) {
                    events.append(event)
                }
            } catch let error as VoiceError { code = error.code }
            #expect(events == [.text("Good")])
            #expect(code == .unavailable)
            #expect(requests().count == 1)
        }
    }

    @Test func `a server that is silent for too long has failed`() async throws {
        let configuration = RemoteLanguageModel.Configuration(
            tokenTimeout: .milliseconds(200)
        )
        try await run(configuration: configuration, { _, _ in Self.said("Good", ending: .stalled) }) { chat, _ in
            let error = await #expect(throws: VoiceError.self) { _ = try await reply(chat) }
            #expect(error?.message.contains("silent") == true)
        }
    }

    @Test func `nonsense is refused`() async throws {
        try await run({ _, _ in Self.events(["hello"]) }) { chat, requests in
            let error = await #expect(throws: VoiceError.self) { _ = try await reply(chat) }
            #expect(error?.code == .malformedInput)
            #expect(requests().count == 1)
        }
    }

    @Test func `a cancelled reply ends at once, whatever the server does`() async throws {
        try await run({ _, _ in Self.said("Good", ending: .stalled) }) { chat, _ in
            let task = Task {
                var count = 0
                for try await _ in chat.reply(to: Self.question, sampling: SamplingOptions()) {
                    count += 1
                    withUnsafeCurrentTask { $0?.cancel() }
                }
                return count
            }
            let count = try await task.value
            #expect(count == 1)
        }
    }

    @Test func `conversations are sent ahead only where that is wanted`() async throws {
        try await run({ _, _ in Self.said("x") }) { chat, requests in
            try await chat.prefill(Self.question)
            #expect(requests().isEmpty)
        }
        try await run(configuration: .init(prefills: true), { _, _ in Self.said("x") }) { chat, requests in
            let usage = try await chat.prefill(Self.question)
            #expect(usage.promptTokens == 5 && usage.generatedTokens == 0)
            let body = try #require(
                requests().first.flatMap { JSONValue(json: String(decoding: $0.body, as: UTF8.self)) }
            )
            #expect(body["max_tokens"] == 1)
        }
    }

    @Test func `a model that is not there is refused with those that are`() async throws {
        try await ScriptedHTTPServer.run({ _, _ in Self.list("one", "two") }) { port, _ in
            let address = try CompletionAddress("http://127.0.0.1:\(port)/v1/", from: "test")
            let error = await #expect(throws: VoiceError.self) {
                _ = try await RemoteLanguageModel(address: address, configuration: .init(model: "three"))
            }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("one, two") == true)
            let model = try await RemoteLanguageModel(address: address, configuration: .init(model: "two"))
            #expect(model.name == "two")
        }
    }

    @Test func `nobody there is said`() async throws {
        let address = try CompletionAddress("http://127.0.0.1:9", from: "test")
        let error = await #expect(throws: VoiceError.self) { _ = try await RemoteLanguageModel(address: address) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("http://127.0.0.1:9") == true)
    }

    @Test func `addresses`() throws {
        #expect(try CompletionAddress("http://a:8000", from: "x").base == "http://a:8000/v1")
        #expect(try CompletionAddress("https://a/llm/v1/", from: "x").base == "https://a/llm/v1")
        #expect(try CompletionAddress("http://[::1]:8000/v1", from: "x").base == "http://[::1]:8000/v1")
        for wrong in ["", "a", "ws://a", "http://u:p@a", "http://a?x=1", "http://a:70000"] {
            let error = #expect(throws: VoiceError.self) { _ = try CompletionAddress(wrong, from: "NVIDIA_LLM_URL") }
            #expect(error?.message.contains("NVIDIA_LLM_URL") == true)
        }
    }

    @Test func `old turns are left out, the instructions and the newest turn never`() {
        let messages =
            [ChatMessage(.system, "s")]
            + (0..<10).flatMap {
                [ChatMessage(.user, "q\($0)" + String(repeating: "x", count: 300)), ChatMessage(.assistant, "a\($0)")]
            }
            + [ChatMessage(.user, "now")]
        let fitting = RemoteWindow.fitting(messages, tokens: 250)
        #expect(fitting.first == messages.first)
        #expect(fitting[1].role == .user)
        #expect(fitting.last == messages.last)
        #expect((4..<messages.count).contains(fitting.count))
        #expect(RemoteWindow.fitting(messages, tokens: 0).map(\.content) == ["s", "now"])
        #expect(RemoteWindow.fitting(messages, tokens: 1 << 20) == messages)
    }
}
