internal import VoiceCore

/// What a scenario gave, over all runs. Turns that were never reached count, too.
package struct ScenarioSummary: Sendable, Equatable, Codable {
    /// How many turns of how many.
    package struct Share: Sendable, Equatable, Codable {
        /// Turns that are right.
        package var passed: Int
        /// Turns times runs.
        package var of: Int

        /// The share in percent; 0 of nothing.
        package var percent: Double { of == 0 ? 0 : 100 * Double(passed) / Double(of) }
    }

    /// Right calls, and no others.
    package var toolUse: Share
    /// Kept instructions.
    package var instruction: Share
    /// Right facts.
    package var grounding: Share
    /// All three.
    package var pass: Share
    /// Turns without an answer: an engine failed, or it took too long.
    package var failed: Int
    /// Times that the person had to insist on a call.
    package var recoveries: Int
    /// Calls that were made again with the same arguments.
    package var repeatedCalls: Int
    /// Passes of each run.
    package var passesByRun: [Int]
    /// Passes of each turn, over all runs.
    package var passesByTurn: [Int]
    /// Tokens of all prompts that were in memory already.
    package var cachedTokens: Int
    /// Tokens of all prompts that had to be read.
    package var prefilledTokens: Int
    /// Tokens that were generated.
    package var generatedTokens: Int

    /// Counts.
    /// - Parameter runs: the records and scores of each run.
    package init(turns: Int, runs: [(records: [TurnRecord], scores: [TurnScore])]) {
        let scores = runs.flatMap(\.scores)
        let records = runs.flatMap(\.records)
        func share(_ isRight: (TurnScore) -> Bool) -> Share {
            Share(passed: scores.count(where: isRight), of: turns * runs.count)
        }
        toolUse = share(\.toolUse)
        instruction = share(\.instruction)
        grounding = share(\.grounding)
        pass = share(\.passes)
        failed = turns * runs.count - records.count { !$0.isRecovery && $0.failure == nil }
        recoveries = records.count(where: \.isRecovery)
        repeatedCalls = records.flatMap(\.calls).count(where: \.isRepetition)
        passesByRun = runs.map { $0.scores.count(where: \.passes) }
        passesByTurn = (0..<turns).map { turn in scores.count { $0.turn == turn && $0.passes } }
        let usages = records.compactMap(\.usage)
        cachedTokens = usages.reduce(0) { $0 + $1.cachedTokens }
        prefilledTokens = usages.reduce(0) { $0 + $1.promptTokens - $1.cachedTokens }
        generatedTokens = usages.reduce(0) { $0 + $1.generatedTokens }
    }

    private enum CodingKeys: String, CodingKey {
        case instruction, grounding, pass, failed, recoveries
        case toolUse = "tool_use"
        case repeatedCalls = "repeated_calls"
        case passesByRun = "passes_by_run"
        case passesByTurn = "passes_by_turn"
        case cachedTokens = "cached_tokens"
        case prefilledTokens = "prefilled_tokens"
        case generatedTokens = "generated_tokens"
    }
}
