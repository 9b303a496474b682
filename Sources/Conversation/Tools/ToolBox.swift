internal import VoiceCore

/// The tools that a model is offered, by name.
struct ToolBox: Sendable {
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

    /// Makes a call once, after its arguments were checked, within the time of the tool's policy.
    /// - Parameters:
    ///   - stop: finished when it is to be cancelled.
    ///   - stopped: what the model is told then.
    ///   - isSlow: takes what may be said once the call takes long, if the tool has something.
    /// - Returns: what came of it, or what the model can mend the call by.
    func outcome(
        of call: ToolCall,
        clock: any SessionClock,
        stop: Mailbox<Never>,
        stopped: String,
        isSlow: @escaping @Sendable (String) -> Void = { _ in }
    ) async -> ToolOutcome {
        guard let tool = tools[call.name] else {
            let names = tools.keys.sorted().joined(separator: ", ")
            return ToolOutcome("There is no tool '\(call.name.prefix(80))'. There are: \(names).", succeeded: false)
        }
        let problems = tool.declaration.problems(with: call.arguments)
        guard problems.isEmpty else {
            return ToolOutcome("The arguments are wrong. \(problems.joined(separator: " "))", succeeded: false)
        }
        let policy = tool.policy
        let timed = TimedCall(
            clock: clock,
            timeout: policy.timeout,
            stop: stop,
            stopped: ToolOutcome(stopped, succeeded: false)
        )
        return await timed.outcome(
            slowAfter: policy.filler == nil ? nil : policy.fillerDelay,
            isSlow: { if let filler = policy.filler { isSlow(filler) } },
            of: { await ToolOutcome.of { try await tool.call(call.arguments) } }
        )
    }
}
