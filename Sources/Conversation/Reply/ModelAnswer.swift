internal import VoiceCore

/// What a model said and wanted, asked once.
struct ModelAnswer {
    /// Calls that it may make together.
    static let mostCalls = 16

    var said = ""
    var thought = ""
    private(set) var calls: [ToolCall] = []
    /// Outcomes that are known beforehand, by number: of calls that cannot be read, and of those that are too many.
    private(set) var refused: [Int: ToolOutcome] = [:]

    mutating func add(_ call: ToolCall) {
        if calls.count >= Self.mostCalls {
            refused[calls.count] = ToolOutcome("Too many calls at once.", succeeded: false)
        }
        calls.append(call)
    }

    /// Adds a call that cannot be read, so that the model can mend it.
    /// - Parameter id: tells it from all others of the conversation, together with its number.
    mutating func add(_ call: MalformedToolCall, id: String) {
        let number = calls.count
        refused[number] = ToolOutcome("The call cannot be read: \(call.problem)", succeeded: false)
        calls.append(ToolCall(id: "\(id)_\(number)", name: call.name ?? "unknown", arguments: [:]))
    }

    /// The answer and what came of its calls, as the model is told of them.
    func messages(_ outcomes: [ToolOutcome]) -> [ChatMessage] {
        [ChatMessage(.assistant, said, toolCalls: calls, reasoning: thought.isEmpty ? nil : thought)]
            + zip(calls, outcomes).map { ChatMessage.result(of: $0, $1.text) }
    }
}
