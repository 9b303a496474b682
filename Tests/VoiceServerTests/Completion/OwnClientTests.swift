internal import LanguageModels
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

/// The agent's own client against the agent's own server.
@Suite(.serialized, .timeLimit(.minutes(5))) struct OwnClientTests {
    private func remote(_ port: Int, key: String? = nil, prefills: Bool = false) async throws -> RemoteLanguageModel {
        try await RemoteLanguageModel(
            address: CompletionAddress("http://127.0.0.1:\(port)", from: "the test"),
            configuration: RemoteLanguageModel.Configuration(key: key, prefills: prefills)
        )
    }

    private func events(
        _ chat: any Chat,
        _ messages: [ChatMessage],
        _ options: ChatOptions = ChatOptions()
    ) async throws -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        let sampling = SamplingOptions(stop: ["END"])
        for try await event in chat.reply(to: messages, sampling: sampling, options: options, urgency: nil) {
            events.append(event)
        }
        return events
    }

    @Test func `what a model says, thinks and calls arrives as it was`() async throws {
        let call = ToolCall(id: "1", name: "weather", arguments: ["city": "Oslo", "days": 2])
        let malformed = MalformedToolCall(name: "weather", text: "<tool_call>{oops", problem: "It is no JSON.")
        let model = CompletionTestServer.model(events: [
            .reasoning("Hm."), .text("One "), .text("moment — ünd."), .toolCall(call), .malformedCall(malformed),
        ])
        try await CompletionTestServer.run(model, { $0.key = "secret" }) { port in
            let chat = try await remote(port, key: "secret").openChat()
            let options = ChatOptions(
                tools: [try ToolDeclaration(name: "weather", description: "The weather.")],
                reasoning: .budget(100)
            )
            let events = try await events(chat, [ChatMessage(.user, "Hi")], options)
            #expect(events.prefix(3) == [.reasoning("Hm."), .text("One "), .text("moment — ünd.")])
            guard events.count == 6, case .toolCall(let made) = events[3], case .malformedCall(let bad) = events[4]
            else {
                Issue.record("\(events)")
                return
            }
            #expect(made.name == call.name && made.arguments == call.arguments)
            #expect(bad.name == "weather" && bad.text == "<tool_call>{oops")
            #expect(
                events[5]
                    == .finished(ReplyUsage(promptTokens: 1, cachedTokens: 0, generatedTokens: 5), truncated: false)
            )
            // The calls and their results go back.
            let messages = [
                ChatMessage(.system, "Be brief."), ChatMessage(.user, "Hi"),
                ChatMessage(.assistant, "One moment.", toolCalls: [made]), .result(of: made, "Rain."),
            ]
            _ = try await self.events(chat, messages, options)
            #expect(model.conversations.last == messages)
        }
    }

    @Test func `a wrong key is told`() async throws {
        try await CompletionTestServer.run(CompletionTestServer.model(saying: []), { $0.key = "secret" }) { port in
            let error = await #expect(throws: VoiceError.self) { _ = try await remote(port, key: "wrong") }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("401") == true)
        }
    }

    @Test func `reading ahead costs a token`() async throws {
        let model = CompletionTestServer.model(saying: ["Good"])
        try await CompletionTestServer.run(model) { port in
            let chat = try await remote(port, prefills: true).openChat()
            let usage = try await chat.prefill([ChatMessage(.system, "Be brief."), ChatMessage(.user, "Wh")])
            #expect(usage == ReplyUsage(promptTokens: 2, cachedTokens: 0, generatedTokens: 0))
        }
    }

    @Test func `a failure is told after a second try`() async throws {
        let model = ScriptedLanguageModel(clock: SystemClock(), timePerToken: .zero) { _ in ["!fail"] }
        try await CompletionTestServer.run(model) { port in
            let chat = try await remote(port).openChat()
            let error = await #expect(throws: VoiceError.self) {
                _ = try await events(chat, [ChatMessage(.user, "Hi")])
            }
            #expect(error?.message.contains("fails as it was told to") == true)
        }
        #expect(model.conversations.count == 2)
    }

    @Test func `a consumer that goes away ends the reply on the server`() async throws {
        let clock = ManualClock()
        let model = ScriptedLanguageModel(clock: clock, timePerToken: .seconds(3_600)) { _ in ["Good"] }
        try await CompletionTestServer.run(model, clock: clock) { port in
            let chat = try await remote(port).openChat()
            await withTaskGroup { group in
                group.addTask { _ = try? await events(chat, [ChatMessage(.user, "Hi")]) }
                while model.conversations.isEmpty { await Task.yield() }
                group.cancelAll()
            }
            try await RecognitionTestServer.expectMetrics(on: port) {
                $0.contains(#"voice_llm_replies_total{reason="cancelled"} 1"#)
            }
        }
    }
}
