internal import Logging
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Conversation

/// Conversations that go on from what was said before, are written down, or end because the server does.
@Suite(.timeLimit(.minutes(5))) struct PastTests {
    private func converse(
        _ steps: [LoopbackTransport.Step],
        past: [ChatMessage] = []
    ) async throws -> (transport: LoopbackTransport, asked: [[ChatMessage]], recorded: [ChatMessage], ended: Duration) {
        let clock = ManualClock(isSelfDriving: true)
        let asked = Mutex<[[ChatMessage]]>([])
        let recorded = Mutex<[ChatMessage]>([])
        let model = ScriptedLanguageModel(clock: clock) { messages, _ in
            asked.withLock { $0.append(messages) }
            return [.text("It is five.")]
        }
        let engines = Engines(
            voiceActivity: AmplitudeDetector(),
            turnDetector: ScriptedTurnDetector(clock: clock, verdicts: []),
            recognizer: ScriptedRecognizer(clock: clock, utterances: ["what time is it"]),
            languageModel: model,
            synthesizer: ToneSynthesizer(clock: clock)
        )
        let transport = LoopbackTransport(clock: clock, steps: steps)
        var configuration = ConversationConfiguration(systemPrompt: "Be brief.", greeting: "Good morning.")
        configuration.returnGreeting = "Welcome back."
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            past: ConversationPast(messages: past) { messages in recorded.withLock { $0 += messages } }
        )
        _ = try await conversation.run(over: transport)
        return (transport, asked.withLock { $0 }, recorded.withLock { $0 }, clock.now)
    }

    private static let question: [LoopbackTransport.Step] = [
        .silence(.seconds(4)), .speech(.seconds(1)), .silence(.seconds(6)),
    ]

    @Test func `what is said is written down as it was heard`() async throws {
        let (_, _, recorded, _) = try await converse(Self.question)
        #expect(
            recorded == [
                ChatMessage(.assistant, "Good morning."), ChatMessage(.user, "what time is it"),
                ChatMessage(.assistant, "It is five."),
            ]
        )
    }

    @Test func `a conversation goes on from what was said, with another greeting`() async throws {
        let past = [ChatMessage(.user, "I am Ada."), ChatMessage(.assistant, "Hello, Ada.")]
        let (transport, asked, recorded, _) = try await converse(Self.question, past: past)
        let messages = try #require(asked.last)
        #expect(
            messages == [ChatMessage(.system, "Be brief.")] + past + [
                ChatMessage(.assistant, "Welcome back."), ChatMessage(.user, "what time is it"),
            ]
        )
        #expect(recorded.first == ChatMessage(.assistant, "Welcome back."))
        #expect(transport.sent.contains { if case .audio = $0.message { true } else { false } })
    }

    @Test func `what was recorded makes the conversation that it was recorded of`() async throws {
        let (_, _, recorded, _) = try await converse(Self.question)
        let (_, asked, _, _) = try await converse(Self.question, past: recorded)
        #expect(asked.last?.dropFirst().prefix(recorded.count) == recorded[...])
    }

    @Test func `of a call's results the last counts`() {
        let call = ToolCall(id: "c", name: "look", arguments: [:])
        let said = ChatMessage(.assistant, "Let me see.", toolCalls: [call])
        let past = ConversationPast(messages: [
            ChatMessage(.user, "look"), said, .result(of: call, "running"), ChatMessage(.user, "and?"),
            .result(of: call, "found"),
        ])
        #expect(
            past.settled == [ChatMessage(.user, "look"), said, .result(of: call, "found"), ChatMessage(.user, "and?")]
        )
    }

    @Test func `a farewell is said in the place of what is being said, and ends the conversation`() async throws {
        let (transport, _, recorded, ended) = try await converse([
            .silence(.milliseconds(500)), .farewell("We close now."), .silence(.seconds(60)),
        ])
        #expect(ended < .seconds(20))
        #expect(recorded.last == ChatMessage(.assistant, "We close now."))
        #expect(recorded.first?.content != "Good morning.")
        #expect(transport.sent.contains { if case .cut = $0.message { true } else { false } })
    }

    @Test func `a farewell without words ends the conversation at once`() async throws {
        let (_, _, _, ended) = try await converse([.silence(.seconds(5)), .farewell(""), .silence(.seconds(60))])
        #expect(ended < .seconds(7))
    }
}
