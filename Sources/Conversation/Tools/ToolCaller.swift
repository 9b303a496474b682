package import VoiceCore

/// Makes calls as a session does, for a program that has a loop of its own.
package struct ToolCaller: Sendable {
    private let tools: ToolBox
    private let clock: any SessionClock

    /// Makes a caller of these tools; of two with one name the first counts.
    package init(_ tools: [any Tool], clock: any SessionClock) {
        self.tools = ToolBox(tools)
        self.clock = clock
    }

    /// What the model is told of them.
    package var declarations: [ToolDeclaration] { tools.declarations }

    /// Makes a call, after its arguments were checked, within the time of the tool's policy.
    package func outcome(of call: ToolCall) async -> ToolOutcome {
        switch tools.checked(call) {
        case .failure(let refusal): return refusal.outcome
        case .success(let tool):
            let timed = TimedCall(
                clock: clock,
                timeout: tool.policy.timeout,
                stop: Mailbox(capacity: 1, overflow: .refuseNewest, clock: clock),
                stopped: ToolOutcome("It was cancelled.", succeeded: false)
            )
            return await timed.outcome { await .of { try await tool.call(call.arguments) } }
        }
    }
}
