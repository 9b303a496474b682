package import VoiceCore

/// A scripted conversation that an agent's mind is judged by: what it knows, what it can do, what the person says, and what is
/// right in each turn. `docs/eval.md` describes the file.
package struct Scenario: Sendable, Equatable {
    /// Its name, for reports.
    package var name: String
    /// The instructions to the language model, without the knowledge.
    package var instructions: String
    /// What the agent knows: a fact, or a record of one thing, a line.
    package var knowledge: String
    /// Instructions that stand behind the knowledge; may be empty.
    package var closing: String
    /// Tokens that the model's context must hold.
    package var contextLength: Int
    /// Tokens that an answer may have.
    package var replyTokens: Int
    /// An answer that takes longer has failed.
    package var turnTimeout: Duration
    /// What the person says where a call was missed; said once, not scored.
    package var recovery: String
    /// Words of an answer that declines: one of them has to be in it where a turn deflects.
    package var deflection: [String]
    /// The words that an answer may have; nil for any number.
    package var mostWords: Int?
    /// What the agent can do.
    package var tools: [ScenarioTool]
    /// The names in the knowledge, by kind.
    package var entities: [EntityGroup]
    /// What the person says, in order.
    package var turns: [ScenarioTurn]

    /// The whole instructions, as the model gets them.
    package var systemPrompt: String {
        [instructions, knowledge, closing].map(\.trimmed).filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}

/// Names of one kind: speakers, rooms, days.
package struct EntityGroup: Sendable, Equatable {
    /// The kind.
    package var name: String
    /// Each with all its names.
    package var members: [[String]]
}

/// Something that the agent can do in a scenario.
package struct ScenarioTool: Sendable, Equatable {
    /// What the model is told about it.
    package var declaration: ToolDeclaration
    /// What a call gives where the turn says nothing else.
    package var result: JSONValue
    /// Whether it changes nothing, so that a call nobody asked for is no mistake.
    package var isReadOnly: Bool
}
