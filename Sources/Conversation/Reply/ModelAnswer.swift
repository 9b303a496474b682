package import VoiceCore

/// What a model said and wanted, asked once.
package struct ModelAnswer {
    /// Calls that it may make together.
    static let mostCalls = 16

    /// What is spoken.
    package var said = ""
    /// What it thought before.
    package var thought = ""
    /// What it wants done, in order.
    package private(set) var calls: [ToolCall] = []
    /// Outcomes that are known beforehand, by number: of calls that cannot be read, and of those that are too many.
    package private(set) var refused: [Int: ToolOutcome] = [:]

    /// An answer that has not begun.
    package init() {}

    /// Adds a call.
    /// - Parameter refusal: what the model is told instead of a result; nil to have the call made.
    package mutating func add(_ call: ToolCall, refusal: String? = nil) {
        let refusal = refusal ?? (calls.count >= Self.mostCalls ? "Too many calls at once." : nil)
        if let refusal { refused[calls.count] = ToolOutcome(refusal, succeeded: false) }
        calls.append(call)
    }

    /// Adds a call that cannot be read, so that the model can mend it.
    /// - Parameter id: tells it from all others of the conversation, together with its number.
    package mutating func add(_ call: MalformedToolCall, id: String) {
        let number = calls.count
        refused[number] = ToolOutcome("The call cannot be read: \(call.problem)", succeeded: false)
        calls.append(ToolCall(id: "\(id)_\(number)", name: call.name ?? "unknown", arguments: [:]))
    }

    /// The answer and what came of its calls, as the model is told of them.
    package func messages(_ outcomes: [ToolOutcome]) -> [ChatMessage] {
        [ChatMessage(.assistant, said, toolCalls: calls, reasoning: thought.isEmpty ? nil : thought)]
            + zip(calls, outcomes).map { ChatMessage.result(of: $0, $1.text) }
    }
}
