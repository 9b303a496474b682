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
        let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: clock)
        return await tools.outcome(of: call, clock: clock, stop: stop, stopped: "It was cancelled.")
    }
}
