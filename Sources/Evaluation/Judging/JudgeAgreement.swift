/// How often a judge and the deterministic scores say the same, of the turns that both decided.
package struct JudgeAgreement: Sendable, Equatable, Codable {
    /// Turns that were judged.
    package private(set) var judged = 0
    /// Turns of the judged ones that pass by the judge.
    package private(set) var passes = 0
    /// Turns in which both agree on the calls.
    package private(set) var toolUse = 0
    /// Turns in which both agree on the instructions.
    package private(set) var instruction = 0
    /// Turns in which both agree on the facts.
    package private(set) var grounding = 0
    /// Turns in which both agree on the whole.
    package private(set) var pass = 0

    /// Makes an empty count.
    package init() {}

    /// Adds a conversation.
    package mutating func add(_ scores: [TurnScore], _ verdicts: [Judge.Verdict?]) {
        for (score, verdict) in zip(scores, verdicts) {
            guard let verdict else { continue }
            judged += 1
            passes += verdict.passes ? 1 : 0
            toolUse += verdict.toolUse == score.toolUse ? 1 : 0
            instruction += verdict.instruction == score.instruction ? 1 : 0
            grounding += verdict.grounding == score.grounding ? 1 : 0
            pass += verdict.passes == score.passes ? 1 : 0
        }
    }

    private enum CodingKeys: String, CodingKey {
        case judged, passes, instruction, grounding, pass
        case toolUse = "tool_use"
    }
}
