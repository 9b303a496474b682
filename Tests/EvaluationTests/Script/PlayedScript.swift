internal import Testing
internal import VoiceCore

@testable internal import Evaluation

/// A scenario that a test plays: the test is the agent, the judge and the time.
struct PlayedScript {
    private(set) var machine: ScriptMachine
    private(set) var actions: [ScriptMachine.Action] = []
    private var now = Duration.zero

    /// Begins the only scenario of a text; the agent is ready.
    init(_ yaml: String, limits: ScriptMachine.Limits = ScriptMachine.Limits()) throws {
        let file = try ScriptFile.parse(yaml, file: "test.yaml")
        guard case .script(let scenario) = try #require(file.entries.first) else {
            throw VoiceError(.usage, "a simulation")
        }
        machine = ScriptMachine(scenario, limits: limits, at: .zero)
        tell("bot-ready")
    }

    /// The agent sends a message.
    mutating func tell(_ type: String, _ data: JSONValue? = nil) {
        actions += machine.receive(["label": "rtvi-ai", "type": .string(type), "data": data], at: now)
    }

    /// The agent answers in writing.
    mutating func answer(_ text: String) {
        tell("bot-llm-started")
        tell("bot-llm-text", ["text": .string(text)])
        tell("bot-llm-stopped")
    }

    /// The agent says something that was transcribed at once.
    mutating func say(_ text: String) {
        tell("bot-started-speaking")
        let began = now
        tell("bot-stopped-speaking")
        machine.transcriptionBegan()
        actions += machine.transcribed(text, began: began, at: now)
    }

    mutating func call(_ name: String, _ arguments: JSONValue = [:], id: String = "1") {
        tell(
            "llm-function-call-in-progress",
            ["function_name": .string(name), "arguments": arguments, "tool_call_id": .string(id)]
        )
    }

    mutating func decide(_ answer: JudgeVerdict.Answer, _ reason: String = "") {
        actions += machine.decided(JudgeVerdict(answer, reason), at: now)
    }

    /// A piece of what the agent has said was transcribed; it goes on speaking.
    mutating func hears(_ text: String) {
        machine.transcriptionBegan()
        actions += machine.transcribed(text, began: now, at: now)
    }

    /// The judge fails.
    mutating func breakDown() -> [ScriptMachine.Action] { machine.broke(.judgeNoVerdict, "no verdict") }

    mutating func hangUp() { actions += machine.agentEnded(at: now) }

    /// Lets time pass, ten milliseconds at a time.
    mutating func wait(_ milliseconds: Int) {
        for _ in 0..<(milliseconds / 10) {
            now += .milliseconds(10)
            actions += machine.tick(at: now)
        }
    }

    /// What the person did, with the time at which the turn began.
    var acts: [String] {
        actions.compactMap { if case .act(let turn) = $0 { turn.user ?? turn.keys } else { nil } }
    }
    var questions: [JudgeQuestion] {
        actions.compactMap { if case .ask(let question) = $0 { question } else { nil } }
    }
    var isOver: Bool { actions.contains(.finish) }
    var result: ScriptResult { machine.result(run: 1, at: now) }
    var kinds: [ScriptFailure.Kind] { machine.failures.map(\.kind) }
}
