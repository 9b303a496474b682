internal import VoiceCore

/// The tools that a model is offered, by name.
struct ToolBox: Sendable {
    /// A call that is not made, and what the model is told of it.
    struct Refusal: Error {
        var outcome: ToolOutcome

        init(_ text: String) { outcome = ToolOutcome(text, succeeded: false) }
    }

    /// What the model is told of them, in their order.
    let declarations: [ToolDeclaration]
    private let tools: [String: any Tool]

    /// - Parameter tools: of two with one name the first counts.
    init(_ tools: [any Tool]) {
        self.tools = Dictionary(tools.map { ($0.declaration.name, $0) }) { first, _ in first }
        var seen: Set<String> = []
        declarations = tools.map(\.declaration).filter { seen.insert($0.name).inserted }
    }

    /// Whether what is called changes anything in the world; a tool that does not exist does not.
    func hasEffects(_ call: ToolCall) -> Bool { tools[call.name]?.policy.hasEffects ?? false }

    /// Whether a call goes on when the reply that wanted it is interrupted.
    func isKept(_ call: ToolCall) -> Bool { tools[call.name]?.policy.interruption == .keep }

    /// The tool of a call whose arguments are of the form that it declares; else what the model can mend the call by.
    func checked(_ call: ToolCall) -> Result<any Tool, Refusal> {
        guard let tool = tools[call.name] else {
            let names = tools.keys.sorted().joined(separator: ", ")
            return .failure(Refusal("There is no tool '\(call.name.prefix(80))'. There are: \(names)."))
        }
        let problems = tool.declaration.problems(with: call.arguments)
        guard problems.isEmpty else {
            return .failure(Refusal("The arguments are wrong. \(problems.joined(separator: " "))"))
        }
        return .success(tool)
    }
}
