internal import VoiceCore

/// Calls that a model made together in the middle of a reply, and how they ended.
struct ToolRound: Sendable, Equatable {
    /// Bytes of the reply's text that were on their way to the person before them.
    var textEnd: Int
    /// The calls, in order.
    var calls: [ToolCall]
    /// Whether one of them changes something in the world.
    var hasEffects: Bool
    /// How they ended, by the calls' identifiers; those that run are missing.
    var outcomes: [String: ToolOutcome] = [:]

    /// What the model is told of a call.
    func result(of call: ToolCall) -> String { outcomes[call.id]?.text ?? Self.unfinished }

    /// What it is told of one that still runs.
    static let unfinished = "It has not ended yet. The result will be here."
}
