internal import VoiceCore

/// Scores conversations without a model: the same conversation has the same score.
package struct Scorer: Sendable {
    private let scenario: Scenario
    private let knowledge: Knowledge

    /// Reads a scenario's knowledge, once for all conversations.
    package init(_ scenario: Scenario) {
        self.scenario = scenario
        knowledge = Knowledge(scenario)
    }

    /// Scores a conversation.
    /// - Returns: a score for each turn of the scenario, whether it was reached or not.
    package func scores(of records: [TurnRecord]) -> [TurnScore] {
        let turns = scenario.turns.indices.map { turn in records.first { $0.turn == turn && !$0.isRecovery } }
        let recoveries = scenario.turns.indices.map { turn in records.first { $0.turn == turn && $0.isRecovery } }
        let alignment = CallAlignment(
            scenario,
            made: turns.map { $0?.newCalls ?? [] },
            recovered: recoveries.map { $0?.newCalls ?? [] }
        )
        return scenario.turns.indices.map { index in
            guard let record = turns[index] else { return failed(index, "was not reached") }
            if let failure = record.failure { return failed(index, failure.description) }
            return score(record, after: index > 0 ? turns[index - 1] : nil, alignment)
        }
    }

    private func failed(_ turn: Int, _ problem: String) -> TurnScore {
        TurnScore(turn: turn, toolUse: false, instruction: false, grounding: false, problems: [problem])
    }

    private func score(_ record: TurnRecord, after previous: TurnRecord?, _ alignment: CallAlignment) -> TurnScore {
        let turn = scenario.turns[record.turn]
        let calls = alignment.problems[record.turn]
        let instructions = InstructionCheck(scenario: scenario).problems(of: record.answer, in: turn)
        // What was done a turn early was also told a turn early.
        let told = alignment.early.contains(record.turn) ? (previous?.answer ?? "") + "\n" : ""
        let grounding = Grounding(knowledge: knowledge).problems(
            of: told + record.answer,
            in: turn,
            context: record.results.map(\.text) + (told.isEmpty ? [] : scenario.turns[record.turn - 1].ownTexts)
        )
        return TurnScore(
            turn: record.turn,
            toolUse: calls.isEmpty,
            instruction: instructions.isEmpty,
            grounding: grounding.isEmpty,
            problems: calls + instructions + grounding
        )
    }
}

extension ScenarioTurn {
    /// All that is said in the turn.
    fileprivate var ownTexts: [String] { [golden, input] + facts.flatMap { $0 } + allowed }
}
