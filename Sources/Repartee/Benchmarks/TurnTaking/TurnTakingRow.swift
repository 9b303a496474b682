internal import Conversation
internal import Simulation
internal import VoiceCore

/// What a simulated machine, a policy and a number of sessions gave.
struct TurnTakingRow: Encodable {
    struct Options: Encodable {
        var minutes: Int
        var seed: UInt64
    }

    var device: String
    var policy: ReplyPolicy
    /// Whose costs: `ours`, or `published` for the other stack's.
    var stack: String
    var sessions: Int
    var batch: Int
    /// Utterances that were said to their end.
    var turns: Int
    var v2v_ms: LatencyFigures
    /// The same as the other stack counts it, from when voice activity noticed the silence: without the detector's lag.
    var v2v_as_published_ms: LatencyFigures
    /// What was published for the other stack in the median, if this is it.
    var published_p50_ms: Double?
    var underruns: Int
    var rejected: Int
    var unanswered: Int
    var false_starts: Int
    var interruptions: Int
    var speculation_hits: Int
    var speculation_misses: Int
    var wasted_fraction: Double
    /// Shares of the time, 0...1.
    var device_busy: Double
    var processor_busy: Double
    var tiles_ms: [String: LatencyFigures]

    init(_ simulation: Simulation, _ result: SimulationResult) {
        device = simulation.device.name
        policy = simulation.policy
        stack = simulation.isPublished ? "published" : "ours"
        sessions = simulation.sessions
        batch = simulation.batch
        turns = result.utterances
        v2v_ms = LatencyFigures(result.voiceToVoice)
        v2v_as_published_ms = LatencyFigures(result.voiceToVoiceAsPublished)
        published_p50_ms = simulation.isPublished ? simulation.device.publishedVoiceToVoice : nil
        underruns = result.underruns
        rejected = result.rejected
        unanswered = result.unanswered
        false_starts = result.falseStarts
        interruptions = result.interruptions
        speculation_hits = result.hits
        speculation_misses = result.misses
        let tokens = result.generatedTokens
        wasted_fraction = tokens > 0 ? Double(result.wastedTokens) / Double(tokens) : 0
        device_busy = result.deviceShare
        processor_busy = result.processorShare
        func figures(_ tile: KeyPath<LatencyTiles, Double>) -> LatencyFigures {
            LatencyFigures(result.tiles.map { $0[keyPath: tile] })
        }
        tiles_ms = [
            "endpoint_wait": figures(\.endpointWait), "turn_detection": figures(\.turnDetection),
            "asr_final": figures(\.asrFinal), "llm_first_token": figures(\.llmFirstToken),
            "llm_first_segment": figures(\.llmFirstSegment), "tts_first_audio": figures(\.ttsFirstAudio),
            "output": figures(\.output),
        ]
    }

    private static let columnNames = [
        "sessions", "turns", "p50", "p90", "p99", "underruns", "rejected", "unanswered", "false", "hits", "wasted",
        "busy",
    ]

    /// The heading of ``columns``.
    static let heading =
        "device".padded(to: 11) + "policy".padded(to: 13)
        + columnNames.map { $0.leftPadded(to: width(of: $0)) }.joined()

    /// The row for people; V2V in whole milliseconds.
    var columns: String {
        let values = [
            "\(sessions)", "\(turns)", whole(v2v_ms.p50), whole(v2v_ms.p90), whole(v2v_ms.p99), "\(underruns)",
            "\(rejected)",
            "\(unanswered)", "\(false_starts)", "\(speculation_hits)", percent(wasted_fraction), percent(device_busy),
        ]
        let cells = zip(values, Self.columnNames).map { $0.leftPadded(to: Self.width(of: $1)) }
        return device.padded(to: 11) + policy.rawValue.padded(to: 13) + cells.joined()
    }

    private static func width(of name: String) -> Int { max(6, name.count) + 2 }

    private func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }

    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
