/// How a turn went.
package struct TurnScore: Sendable, Equatable, Codable {
    /// Its number, from 0.
    package var turn: Int
    /// Whether the right calls were made, and no others.
    package var toolUse: Bool
    /// Whether the answer keeps to the instructions.
    package var instruction: Bool
    /// Whether it says what is so.
    package var grounding: Bool
    /// What was wrong, in words.
    package var problems: [String]

    /// Whether all was right.
    package var passes: Bool { toolUse && instruction && grounding }

    private enum CodingKeys: String, CodingKey {
        case turn, problems
        case toolUse = "tool_use_correct"
        case instruction = "instruction_following"
        case grounding = "kb_grounding"
    }
}
