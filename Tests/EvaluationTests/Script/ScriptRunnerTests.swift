internal import Conversation
internal import Logging
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import Evaluation

/// Scenarios with the real conversation and scripted engines, in simulated time.
struct ScriptRunnerTests {
    private static let both = """
        user: {modality: audio, speech: {voice: tone}}
        judge: {modality: audio, transcription: {service: own}}
        """
    private static let aloud = "judge: {modality: audio, transcription: {service: own}}"

    private func play(
        _ yaml: String,
        greeting: String = "",
        hears: [String] = [],
        tools: [any Tool] = [],
        judge: (any ScriptJudge)? = nil,
        answers: @escaping ScriptedLanguageModel.EventScript = { messages, _ in
            [.text("You said "), .text(messages.last?.content ?? "nothing"), .text(".")]
        }
    ) async throws -> ScriptResult {
        let clock = ManualClock(isSelfDriving: true)
        var configuration = ConversationConfiguration(greeting: greeting)
        configuration.tools = tools
        let recognizer = ScriptedRecognizer(clock: clock, utterances: hears)
        let agent = AgentInProcess(
            engines: Engines(
                voiceActivity: AmplitudeDetector(),
                turnDetector: ScriptedTurnDetector(clock: clock),
                recognizer: recognizer,
                languageModel: ScriptedLanguageModel(clock: clock, events: answers),
                synthesizer: ToneSynthesizer(clock: clock)
            ),
            configuration: configuration,
            about: RTVIAbout(library: "test", version: "1"),
            clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let runner = ScriptRunner(
            agent: { scenario, deliver throws(VoiceError) in try agent.line(scenario, deliver) },
            recognizer: recognizer,
            person: PersonVoice(ToneSynthesizer(clock: SystemClock(), latency: .zero)),
            judge: judge,
            clock: clock
        )
        let file = try ScriptFile.parse(yaml, file: "test.yaml")
        guard case .script(let scenario) = try #require(file.entries.first) else {
            throw VoiceError(.usage, "a simulation")
        }
        return try await runner.play(scenario)
    }

    @Test func `a typed question is answered in writing`() async throws {
        let result = try await play(
            """
            name: a
            turns:
              - user: hello
                expect:
                  - {event: llm_started, within_ms: 500}
                  - {event: response, text_contains: "You said hello.", within_ms: 1000}
                  - {event: bot_started_speaking, absent: true, within_ms: 3000}
            """
        )
        #expect(result.failures == [])
        #expect(result.status == .passed)
    }

    @Test func `a typed question is answered aloud, after the greeting`() async throws {
        let result = try await play(
            """
            name: a
            \(Self.aloud)
            turns:
              - expect:
                  - {event: bot_started_speaking, within_ms: 1000}
                  - {event: tts_response, text_contains: "Good morning."}
              - user: hello
                expect:
                  - event: bot_started_speaking
                  - {event: tts_response, text_contains: "You said hello."}
                  - event: bot_stopped_speaking
            """,
            greeting: "Good morning."
        )
        #expect(result.failures == [])
        #expect(result.status == .passed)
        // The person waited for the end of the greeting: 13 letters of 60 ms each.
        #expect(try #require(result.turns[1].began) > .milliseconds(780))
    }

    @Test func `spoken questions are heard, and so is what the agent says`() async throws {
        let result = try await play(
            """
            name: a
            \(Self.both)
            turns:
              - user: what is the time
                expect:
                  - event: user_started_speaking
                  - event: user_stopped_speaking
                  - {event: user_transcription, text_contains: what is the time}
                  - {event: response, text_contains: you said what is the time}
            """,
            hears: ["what is the time", "you said what is the time"]
        )
        #expect(result.failures == [])
        #expect(result.status == .passed)
    }

    @Test func `an interruption silences the agent`() async throws {
        let yaml = """
            name: a
            \(Self.aloud)
            turns:
              - user: tell me a story
                expect: [{event: bot_started_speaking}]
              - user: stop
                send_after: {event: bot_started_speaking, delay_ms: 500}
                expect:
                  - {event: bot_interrupted, within_ms: 100}
                  - {event: bot_stopped_speaking, within_ms: 200}
                  - {event: tts_response, text_contains: You said stop., text_excludes: story}
            """
        let result = try await play(yaml)
        #expect(result.failures == [])
        #expect(result.status == .passed)
        let began = try #require(result.turns[1].began)
        let spoke = try #require(result.events.first { $0.kind == .botStartedSpeaking }).at
        #expect(began - spoke >= .milliseconds(500))
        #expect(began - spoke <= .milliseconds(510))
    }

    @Test func `calls of tools are told with names and arguments`() async throws {
        let declaration = try ToolDeclaration(
            name: "weather",
            description: "",
            parameters: ["type": "object", "properties": ["city": ["type": "string"]]]
        )
        let yaml = """
            name: a
            turns:
              - user: weather
                expect:
                  - event: function_call
                    calls: [{name: weather, args: {city: Rome}}]
                  - event: function_call_stopped
                    calls: [{name: weather, args: {cancelled: false}}]
                  - {event: response, text_contains: "It is sunny."}
            """
        let result = try await play(yaml, tools: [ClosureTool(declaration) { _ in "sunny" }]) { messages, _ in
            messages.last?.role == .tool
                ? [.text("It is "), .text("sunny.")]
                : [.toolCall(ToolCall(id: "1", name: "weather", arguments: ["city": "Rome"]))]
        }
        #expect(result.failures == [])
        #expect(result.status == .passed)
    }

    @Test func `keys of a telephone are a message`() async throws {
        let result = try await play(
            """
            name: a
            turns:
              - dtmf: "12#"
                expect:
                  - {event: user_transcription, text_contains: "DTMF: 12#"}
                  - event: llm_started
            """
        )
        #expect(result.failures == [])
        #expect(result.status == .passed)
    }

    @Test func `the instructions of a context are the model's`() async throws {
        let result = try await play(
            """
            name: a
            context: [{role: system, content: You are a clock.}]
            turns: [{user: who, expect: [{event: response, text_contains: You are a clock.}]}]
            """
        ) { messages, _ in [.text(messages.first?.content ?? "")] }
        #expect(result.status == .passed)
    }

    @Test func `what is too late fails, with what came`() async throws {
        let result = try await play("{name: a, turns: [{user: hello, expect: [{event: response, within_ms: 30}]}]}")
        #expect(result.status == .failed)
        #expect(result.failures.map(\.kind) == [.timeout])
        #expect(result.failures[0].reason.contains("llm_started at"))
    }

    // MARK: - The judge

    private struct WordJudge: ScriptJudge {
        var word: String
        func decide(_ question: JudgeQuestion) async throws(VoiceError) -> JudgeVerdict {
            guard case .reply(let reply) = question.subject else { return JudgeVerdict(.no) }
            return JudgeVerdict(reply.contains(word) ? .yes : .no, "it says \(reply)")
        }
    }

    @Test(arguments: [("hello", ScriptResult.Status.passed), ("goodbye", .failed)])
    func `a judge decides`(word: String, status: ScriptResult.Status) async throws {
        let yaml = "{name: a, turns: [{user: hello, expect: [{event: response, eval: polite}]}]}"
        let result = try await play(yaml, judge: WordJudge(word: word))
        #expect(result.status == status)
    }

    @Test func `a judge's answer is its first word`() async throws {
        let clock = ManualClock(isSelfDriving: true)
        let question = JudgeQuestion(subject: .reply("Four."), criterion: "says four", conversation: [])
        func verdict(_ answer: String) async throws -> JudgeVerdict {
            let model = ScriptedLanguageModel(clock: clock) { _ in [answer] }
            clock.workBegan()
            defer { clock.workEnded() }
            return try await LanguageModelJudge(model, clock: clock).decide(question)
        }
        #expect(try await verdict("Yes\nIt says four.") == JudgeVerdict(.yes, "It says four."))
        #expect(try await verdict(" continue: not yet") == JudgeVerdict(.goOn, "not yet"))
        #expect(try await verdict("no").answer == .no)
        await #expect(throws: VoiceError.self) { try await verdict("Maybe.") }
        // A word that only begins with one.
        await #expect(throws: VoiceError.self) { try await verdict("Nothing to say.") }
    }

    // MARK: - What cannot be played

    @Test(
        arguments: [
            "turns: [{user: a, expect: [{event: llm_marker, marker: complete}]}]",
            "turns: [{user: a, expect: [{event: image, absent: true}]}]",
            "turns: [{user: a, send_after: {event: vad_user_stopped_speaking}}]",
            "turns: [{user: a, image: cat.png}]",
            "context: [{role: system, content: a}, {role: user, content: b}]\nturns: [{user: a}]",
        ]
    )
    func `what the agent never tells of is an obstacle`(keys: String) throws {
        let file = try ScriptFile.parse("name: a\n\(keys)", file: "test.yaml")
        guard case .script(let scenario) = file.entries[0] else { throw VoiceError(.usage, "a simulation") }
        #expect(try #require(scenario.obstacle(.here)).isEmpty == false)
        var plain = scenario
        (plain.turns, plain.context) = ([], [])
        #expect(plain.obstacle(.here) == nil)
    }

    @Test func `criteria without a judge are refused`() async throws {
        await #expect(throws: VoiceError.self) {
            _ = try await play("{name: a, turns: [{user: a, expect: [{event: response, eval: b}]}]}")
        }
    }
}
