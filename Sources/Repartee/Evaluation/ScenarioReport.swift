internal import Conversation
internal import Evaluation

/// What `eval scenario` prints: the row of its JSON, and its table.
struct ScenarioReport: Encodable {
    /// The command's options, for the JSON.
    struct Options: Encodable {
        var runs: Int
        var tools: String
        var judge: String?
        var judge_votes: Int?
    }

    /// Order statistics in milliseconds.
    struct Latency: Encodable {
        var n: Int
        var min: Double
        var p50: Double
        var p90: Double
        var p95: Double
        var p99: Double
        var max: Double

        init(_ values: [Double]) {
            let figures = LatencyFigures(values)
            (n, min, p50, p90) = (figures.n, figures.min, figures.p50, figures.p90)
            (p99, max) = (figures.p99, figures.max)
            p95 = ConversationReport.Spread.percentile(0.95, of: values.sorted())
        }
    }

    var scenario: String
    var model: String
    var mode: String
    var tools: Bool
    var runs: Int
    var turns: Int
    var scores: ScenarioSummary
    /// Until the first token or call, the first answer of each conversation left out.
    var ttft_ms: Latency
    /// Until the end of the answer, likewise.
    var latency_ms: Latency
    /// From the person's last sound to the agent's first; nil where nothing was spoken.
    var v2v_ms: Latency?
    var judge: JudgeAgreement?

    init(scenario: String, model: String, mode: String, hasTools: Bool, turns: Int, runs: [EvaluatedRun]) {
        self.scenario = scenario
        self.model = model
        self.mode = mode
        self.turns = turns
        self.runs = runs.count
        tools = hasTools
        scores = ScenarioSummary(turns: turns, runs: runs.map { ($0.records, $0.scores) })
        let answered = runs.flatMap { run in run.records.filter { $0.turn > 0 && !$0.isRecovery && $0.failure == nil } }
        ttft_ms = Latency(answered.compactMap(\.firstToken))
        latency_ms = Latency(answered.map(\.latency))
        v2v_ms = mode == "audio" ? Latency(answered.compactMap(\.voiceToVoice)) : nil
        if runs.contains(where: { $0.verdicts != nil }) {
            judge = runs.reduce(into: JudgeAgreement()) { $0.add($1.scores, $1.verdicts ?? []) }
        }
    }

    /// The table for people.
    var table: String {
        var lines = [
            "\(scenario), \(model), \(mode), \(runs) x \(turns) turns\(tools ? "" : ", without tools")",
            line("tool use", scores.toolUse), line("instructions", scores.instruction),
            line("grounding", scores.grounding), line("pass", scores.pass),
            "failed turns".padded(to: 16) + "\(scores.failed)",
            "recoveries".padded(to: 16) + "\(scores.recoveries)",
            line("TTFT", ttft_ms),
        ]
        if let v2v_ms { lines.append(line("V2V", v2v_ms)) }
        lines.append(
            "tokens".padded(to: 16)
                + "\(scores.cachedTokens) cached, \(scores.prefilledTokens) prefilled, \(scores.generatedTokens) generated"
        )
        if let judge {
            lines.append(
                "judge".padded(to: 16) + "\(judge.passes) of \(judge.judged) judged turns pass; agreement: tool use "
                    + "\(judge.toolUse), instructions \(judge.instruction), grounding \(judge.grounding), pass \(judge.pass)"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ name: String, _ share: ScenarioSummary.Share) -> String {
        let percent = (share.percent * 10).rounded() / 10
        return name.padded(to: 16) + "\(share.passed)/\(share.of)".padded(to: 10) + "\(percent) %"
    }

    private func line(_ name: String, _ latency: Latency) -> String {
        let values = [latency.p50, latency.p95, latency.max].map { "\(Int($0.rounded()))" }
        return name.padded(to: 16) + "p50 \(values[0]) ms, p95 \(values[1]) ms, max \(values[2]) ms"
    }
}
