internal import Evaluation

/// A conversation that was had and scored.
struct EvaluatedRun {
    var records: [TurnRecord]
    var scores: [TurnScore]
    /// What the judge said of each turn; nil without a judge.
    var verdicts: [Judge.Verdict?]?
}
