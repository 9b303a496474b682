internal import CoreMetrics
internal import NIOHTTP1
internal import ServerPool
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import LanguageModels

/// Against several servers that answer, stall, break off and refuse.
@Suite(.timeLimit(.minutes(5))) struct PooledLanguageModelTests {
    typealias Answer = ScriptedHTTPServer.Answer
    typealias Request = ScriptedHTTPServer.Request

    private static let question = [ChatMessage(.system, "Be short."), ChatMessage(.user, "Hello?")]

    private static func said(_ texts: String..., ending: ScriptedHTTPServer.Ending = .complete) -> Answer {
        var chunks = texts.map { #"{"choices":[{"delta":{"content":"\#($0)"}}]}"# }
        if ending == .complete { chunks += [#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"] }
        return Answer(
            headers: ["Content-Type": "text/event-stream"],
            body: Array(chunks.map { "data: \($0)\n\n" }.joined().utf8),
            ending: ending
        )
    }

    private static func refusal(_ status: HTTPResponseStatus, _ headers: HTTPHeaders = [:]) -> Answer {
        var headers = headers
        let body = Array(#"{"error":{"message":"no"}}"#.utf8)
        headers.add(name: "Content-Length", value: "\(body.count)")
        return Answer(status: status, headers: headers, body: body)
    }

    private struct Stage {
        var model: RemoteLanguageModel
        var pool: ServerPool
        /// The requests for replies of each server.
        var asked: @Sendable (Int) -> [Request]
    }

    /// Runs a model on two servers that answer by scripts; a script gets the number of the request. The first is chosen first.
    private func run(
        models: [String] = ["some", "some"],
        owner: String = "somebody",
        health: [Answer] = [Answer(headers: ["Content-Length": "0"]), Answer(headers: ["Content-Length": "0"])],
        configuration: RemoteLanguageModel.Configuration = .init(),
        clock: any SessionClock = SystemClock(),
        _ first: @escaping @Sendable (Int) -> Answer,
        _ second: @escaping @Sendable (Int) -> Answer = { _ in said("Good", " day.") },
        warn: @escaping @Sendable (String) -> Void = { _ in },
        _ body: (Stage) async throws -> Void
    ) async throws {
        let counts = [Box(), Box()]
        func script(_ server: Int, _ answer: @escaping @Sendable (Int) -> Answer) -> @Sendable (Request, Int) -> Answer
        {
            let (name, health, count) = (models[server], health[server], counts[server])
            return { request, _ in
                switch request.uri {
                case "/v1/models":
                    let list = Array(#"{"data":[{"id":"\#(name)","owned_by":"\#(owner)"}]}"#.utf8)
                    return Answer(headers: ["Content-Length": "\(list.count)"], body: list)
                case "/health": return health
                default: return answer(count.next())
                }
            }
        }
        try await ScriptedHTTPServer.run(script(0, first)) { a, firstAsked in
            try await ScriptedHTTPServer.run(script(1, second)) { b, secondAsked in
                let addresses = try [a, b].map { try CompletionAddress("http://127.0.0.1:\($0)", from: "test") }
                let pool = ServerPool(
                    "llm",
                    addresses.map { .init(name: "\($0)", health: $0.healthURL) },
                    clock: clock,
                    seed: 1,
                    factory: NOOPMetricsHandler.instance
                )
                let model = try await RemoteLanguageModel(
                    addresses,
                    pool: pool,
                    configuration: configuration,
                    warn: warn
                )
                let busy = pool.lease(except: [0])
                let logs = [firstAsked, secondAsked]
                try await body(
                    Stage(model: model, pool: pool) { server in
                        logs[server]().filter { $0.uri == "/v1/chat/completions" }
                    }
                )
                withExtendedLifetime(busy) {}
            }
        }
    }

    private final class Box: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                count += 1
                return count - 1
            }
        }
    }

    private func events(_ chat: any Chat, _ messages: [ChatMessage] = question) async throws -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        for try await event in chat.reply(to: messages, sampling: SamplingOptions()) { events.append(event) }
        return events
    }

    private static func text(_ events: [ReplyEvent]) -> String {
        events.map { if case .text(let piece) = $0 { piece } else { "" } }.joined()
    }

    @Test(arguments: [
        Answer(headers: ["Content-Type": "text/event-stream"], ending: .cut), refusal(.internalServerError),
        refusal(.badGateway), refusal(.notFound), refusal(.unauthorized),
        Answer(headers: ["Content-Type": "text/event-stream"], body: Array("data: nonsense\n\n".utf8)),
    ])
    func `a server that fails before its first piece is replaced at once, and not asked again`(
        answer: Answer
    ) async throws {
        try await run({ _ in answer }) { stage in
            let events = try await events(try await stage.model.openChat())
            #expect(events.first == .delayed)
            #expect(Self.text(events) == "Good day.")
            #expect(stage.asked(0).count == 1 && stage.asked(1).count == 1)
        }
    }

    @Test func `a request that is at fault itself is not asked of everybody`() async throws {
        try await run({ _ in Self.refusal(.badRequest) }) { stage in
            let chat = try await stage.model.openChat()
            let error = await #expect(throws: VoiceError.self) { _ = try await events(chat) }
            #expect(error?.code == .unavailable)
            #expect(stage.asked(1).isEmpty)
            #expect(stage.pool.states == [.healthy, .healthy])
        }
    }

    @Test func `a full one is passed over for as long as it says`() async throws {
        try await run({ _ in Self.refusal(.serviceUnavailable, ["Retry-After": "20"]) }) { stage in
            let chat = try await stage.model.openChat()
            for _ in 0..<3 {
                let events = try await events(chat)
                #expect(Self.text(events) == "Good day.")
            }
            #expect(stage.pool.states == [.full, .healthy])
            #expect(stage.asked(0).count == 1)
        }
    }

    @Test func `a conversation stays with the server that remembers it`() async throws {
        try await run({ _ in Self.said("One.") }) { stage in
            let chat = try await stage.model.openChat()
            for _ in 0..<5 {
                let events = try await events(chat)
                #expect(Self.text(events) == "One.")
            }
            // Another one goes where there is less to do.
            let other = try await stage.model.openChat()
            let more = [stage.pool.lease(except: [1]), stage.pool.lease(except: [1])]
            let events = try await events(other)
            #expect(Self.text(events) == "Good day.")
            #expect(stage.asked(0).count == 5 && stage.asked(1).count == 1)
            withExtendedLifetime(more) {}
        }
    }

    @Test func `a conversation whose server is gone moves, and stays there`() async throws {
        try await run({ number in number == 0 ? Self.said("One.") : Answer(ending: .cut) }) { stage in
            let chat = try await stage.model.openChat()
            var said: [String] = []
            for _ in 0..<3 { said.append(Self.text(try await events(chat))) }
            #expect(said == ["One.", "Good day.", "Good day."])
            #expect(stage.asked(0).count == 2)
        }
    }

    @Test func `a reply that breaks in its middle goes on elsewhere, and nothing is said twice`() async throws {
        try await run({ _ in Self.said("The library opens", " at ni", ending: .cut) }) { _ in
            Self.said("The library opens", " at nine", " in the morning.")
        } _: { stage in
            let events = try await events(try await stage.model.openChat())
            #expect(Self.text(events) == "The library opens at nine in the morning.")
            #expect(events.count { $0 == .delayed } == 1)
            let request = try #require(stage.asked(1).first)
            let body = try #require(JSONValue(json: String(decoding: request.body, as: UTF8.self)))
            let messages = try #require(body["messages"]?.elements)
            #expect(messages.map { $0["role"]?.text } == ["system", "user", "assistant", "user"])
            #expect(messages[2]["content"]?.text == "The library opens at ")
            #expect(messages[3]["content"]?.text == ReplySoFar.instruction)
        }
    }

    @Test(arguments: ["vllm", "sglang", "repartee", "llamacpp"])
    func `a server that goes on with messages is sent the beginning of one`(owner: String) async throws {
        try await run(owner: owner, { _ in Self.said("No, no, ", "no, I do ", "n", ending: .cut) }) { _ in
            Self.said(" not", " know.")
        } _: { stage in
            let events = try await events(try await stage.model.openChat())
            #expect(Self.text(events) == "No, no, no, I do not know.")
            let request = try #require(stage.asked(1).first)
            let body = try #require(JSONValue(json: String(decoding: request.body, as: UTF8.self)))
            let messages = try #require(body["messages"]?.elements)
            #expect(messages.map { $0["role"]?.text } == ["system", "user", "assistant"])
            #expect(messages.last?["content"]?.text == "No, no, no, I do")
            #expect(body["continue_final_message"] == true && body["add_generation_prompt"] == false)
            let first = try #require(stage.asked(0).first)
            let asked = JSONValue(json: String(decoding: first.body, as: UTF8.self))
            #expect(asked?["continue_final_message"] == nil && asked?["add_generation_prompt"] == nil)
        }
    }

    @Test func `one that refuses to go on with a message is asked in words`() async throws {
        try await run(owner: "repartee", { _ in Self.said("The library opens", " at ", ending: .cut) }) { number in
            number == 0 ? Self.refusal(.badRequest) : Self.said("The library opens at nine.")
        } _: { stage in
            for _ in 0..<2 {
                let events = try await events(try await stage.model.openChat())
                #expect(Self.text(events) == "The library opens at nine.")
                #expect(events.count { $0 == .delayed } <= 1)
            }
            let bodies = stage.asked(1).map { JSONValue(json: String(decoding: $0.body, as: UTF8.self)) }
            // It is asked for the rest once. The second conversation begins where there is less to do.
            #expect(bodies.count { $0?["continue_final_message"] != nil } == 1)
            #expect(bodies[1]?["messages"]?.elements?.last?["content"]?.text == ReplySoFar.instruction)
            #expect(stage.pool.states[1] == .healthy)
        }
    }

    @Test func `a reply that nobody can go on with ends where it broke`() async throws {
        try await run({ _ in Self.said("One two", " three", ending: .cut) }, { _ in Answer(ending: .cut) }) { stage in
            let chat = try await stage.model.openChat()
            var said: [ReplyEvent] = []
            let error = await #expect(throws: VoiceError.self) {
                for try await event in chat.reply(to: Self.question, sampling: SamplingOptions()) { said.append(event) }
            }
            #expect(error?.code == .unavailable)
            #expect(Self.text(said) == "One two ")
        }
    }

    @Test func `a server that hangs is found by its check, long before the deadline`() async throws {
        let stalled = Answer(headers: ["Content-Type": "text/event-stream"], ending: .stalled)
        try await run(health: [Answer(ending: .stalled), Answer(headers: ["Content-Length": "0"])], { _ in stalled }) {
            stage in
            async let _ = stage.pool.run()
            let clock = SystemClock()
            let events = try await events(try await stage.model.openChat())
            #expect(Self.text(events) == "Good day.")
            #expect(clock.now < .seconds(8))
            #expect(stage.pool.states[0] == .down)
        }
    }

    @Test func `one that hangs in the middle is gone on for, too`() async throws {
        try await run(
            health: [Answer(ending: .stalled), Answer(headers: ["Content-Length": "0"])],
            { _ in Self.said("One", " two", ending: .stalled) },
            { _ in Self.said("two", " three.") }
        ) { stage in
            async let _ = stage.pool.run()
            let events = try await events(try await stage.model.openChat())
            #expect(Self.text(events) == "One two three.")
        }
    }

    @Test func `one that lacks the model is left out with a warning`() async throws {
        let warnings = Mutex<[String]>([])
        try await run(
            models: ["other", "some"],
            configuration: .init(model: "some"),
            { _ in Self.said("Wrong.") },
            warn: { text in warnings.withLock { $0.append(text) } }
        ) { stage in
            #expect(stage.model.name == "some")
            for _ in 0..<3 {
                let events = try await events(try await stage.model.openChat())
                #expect(Self.text(events) == "Good day.")
            }
            #expect(stage.asked(0).isEmpty)
            #expect(warnings.withLock { $0 }.first?.contains("'some' is not on") == true)
        }
    }

    @Test func `each server is asked for the first model that it lists, where none is named`() async throws {
        try await run(models: ["a", "b"], { _ in Answer(ending: .cut) }) { stage in
            _ = try await events(try await stage.model.openChat())
            let bodies = (0..<2).compactMap { stage.asked($0).first }.compactMap {
                JSONValue(json: String(decoding: $0.body, as: UTF8.self))?["model"]?.text
            }
            #expect(bodies == ["a", "b"])
        }
    }

    @Test func `when all are down the model in process answers, until one is back`() async throws {
        let clock = ManualClock()
        try await run(
            clock: clock,
            { number in number < 2 ? Answer(ending: .cut) : Self.said("Back.") },
            { _ in Answer(ending: .cut) }
        ) {
            stage in
            let local = ScriptedLanguageModel(clock: SystemClock(), timePerToken: .zero) { _ in ["Local."] }
            let model = FallbackLanguageModel(stage.model, else: local, pause: .zero)
            let chat = try await model.openChat()
            for _ in 0..<2 {
                let events = try await events(chat)
                #expect(Self.text(events) == "Local.")
            }
            #expect(stage.pool.states == [.down, .down])
            let asked = stage.asked(0).count
            let down = try await events(chat)
            #expect(Self.text(down) == "Local.")
            #expect(stage.asked(0).count == asked)
            clock.advance(by: PoolLimits().longestPause)
            async let _ = stage.pool.run()
            while stage.pool.states[0] == .down { await Task.yield() }
            let back = try await events(chat)
            #expect(Self.text(back) == "Back.")
        }
    }

    @Test func `a reply that broke everywhere is finished by the model in process`() async throws {
        try await run({ _ in Self.said("One two", " th", ending: .cut) }, { _ in Answer(ending: .cut) }) { stage in
            let local = ScriptedLanguageModel(clock: SystemClock(), timePerToken: .zero) { _ in ["three."] }
            let chat = try await FallbackLanguageModel(stage.model, else: local).openChat()
            let events = try await events(chat)
            #expect(Self.text(events) == "One two three.")
            #expect(local.conversations == [Self.question + [ChatMessage(.assistant, "One two ")]])
            #expect(local.options.map(\.continuesLastMessage) == [true])
        }
    }

    @Test func `without a server it is said which they were`() async throws {
        let addresses = try ["http://127.0.0.1:9", "http://127.0.0.1:10"].map {
            try CompletionAddress($0, from: "test")
        }
        let pool = ServerPool("llm", addresses.map { .init(name: "\($0)", health: $0.healthURL) })
        let clock = SystemClock()
        let error = await #expect(throws: VoiceError.self) { _ = try await RemoteLanguageModel(addresses, pool: pool) }
        #expect(error?.message.contains("http://127.0.0.1:9") == true)
        // Nobody waits for a server that is not there while there may be another.
        #expect(clock.now < .seconds(60))
    }

    @Test func `where servers tell of their health`() throws {
        for (address, health) in [
            ("http://a:8000", "http://a:8000/health"), ("http://a:8000/v1", "http://a:8000/health"),
            ("https://a/llm/v1/", "https://a/llm/health"), ("http://a/openai", "http://a/openai/health"),
        ] {
            #expect(try CompletionAddress(address, from: "x").healthURL == health)
        }
    }
}
