internal import Conversation
internal import Logging
internal import Testing
internal import VoiceCore
internal import VoiceTesting

/// Conversations that the agent ends, with scripted engines, in simulated time.
@Suite(.timeLimit(.minutes(5))) struct HangUpTests {
    private func converse(
        _ steps: [LoopbackTransport.Step],
        canHangUp: Bool = true,
        farewell: String
    ) async throws -> (report: ConversationReport, sent: [LoopbackTransport.Sent], ended: Duration) {
        let clock = ManualClock(isSelfDriving: true)
        let model = ScriptedLanguageModel(clock: clock) { messages, options in
            guard options.tools.map(\.name) == ["hang_up"] else { return [.text("I cannot.")] }
            guard messages.last?.role != .tool else { return [] }
            return farewell.split(separator: " ").map { .text(" \($0)") }
                + [.toolCall(ToolCall(id: "h\(messages.count)", name: "hang_up", arguments: [:]))]
        }
        let engines = Engines(
            voiceActivity: AmplitudeDetector(),
            turnDetector: ScriptedTurnDetector(clock: clock, verdicts: []),
            recognizer: ScriptedRecognizer(clock: clock, utterances: ["goodbye", "wait a moment"]),
            languageModel: model,
            synthesizer: ToneSynthesizer(clock: clock)
        )
        let transport = LoopbackTransport(clock: clock, steps: steps)
        var configuration = ConversationConfiguration(systemPrompt: "Be brief.", greeting: "")
        configuration.canHangUp = canHangUp
        let conversation = Conversation(
            engines: engines,
            configuration: configuration,
            clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let report = try await conversation.run(over: transport)
        return (report, transport.sent, clock.now)
    }

    private static let longFarewell = (1...30).map { "word\($0)" }.joined(separator: " ")

    @Test func `the conversation ends when the farewell was heard`() async throws {
        let (report, _, ended) = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(60))],
            farewell: "Bye bye."
        )
        #expect(report.turns.map { $0.agent.trimmed } == ["Bye bye."])
        #expect(ended < .seconds(20))
    }

    @Test func `an interruption keeps the person on the line`() async throws {
        let (report, _, ended) = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(3)), .speech(.seconds(2)), .silence(.seconds(60))],
            farewell: Self.longFarewell
        )
        #expect(report.turns.first?.interrupted == true)
        #expect(report.turns.count == 2)
        #expect(ended < .seconds(40), "the second farewell was heard")
    }

    @Test func `without leave nobody hangs up`() async throws {
        let (report, _, ended) = try await converse(
            [.speech(.seconds(1)), .silence(.seconds(30))],
            canHangUp: false,
            farewell: "Bye."
        )
        #expect(report.turns.map(\.agent.trimmed) == ["I cannot."])
        #expect(ended >= .seconds(30))
    }
}
