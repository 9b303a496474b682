internal import Synchronization
internal import VoiceCore

/// The tools of a scenario: they answer what the turn says, and remember which calls were made.
final class CallBook: Sendable {
    private struct State {
        var turn = 0
        var made: Set<String> = []
    }

    private let scenario: Scenario
    private let state = Mutex(State())

    init(_ scenario: Scenario) { self.scenario = scenario }

    /// Begins a turn.
    func begin(_ turn: Int) { state.withLock { $0.turn = turn } }

    /// Notes a call.
    /// - Returns: whether the same one was made before.
    func note(_ call: ToolCall) -> Bool {
        let key = call.name + " " + JSONValue.object(call.arguments).json
        return state.withLock { !$0.made.insert(key).inserted }
    }

    /// The tools for an agent.
    var tools: [any Tool] {
        scenario.tools.map { tool in
            let policy = ToolPolicy(hasEffects: !tool.isReadOnly)
            return ClosureTool(tool.declaration, policy: policy) { [self] arguments in
                result(of: tool, arguments).json
            }
        }
    }

    /// What a call gives: what this turn says, else a turn beside it, else what the tool always gives.
    private func result(of tool: ScenarioTool, _ arguments: JSONObject) -> JSONValue {
        let call = ToolCall(id: "", name: tool.declaration.name, arguments: arguments)
        let now = state.withLock { $0.turn }
        for index in [now, now + 1, now - 1] where scenario.turns.indices.contains(index) {
            let wanted = scenario.turns[index].calls.first { $0.name == call.name && $0.problems(with: call).isEmpty }
            if let result = wanted?.result { return result }
        }
        return tool.result
    }
}
