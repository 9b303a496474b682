internal import Simulation
internal import VoiceCore

/// What so many simulated conversations on a machine gave.
struct CapacityRow: Encodable, Sendable {
    var device: String
    /// Where the costs of its steps come from.
    var evidence: String
    var sessions: Int
    var turns: Int
    var v2v_ms: LatencyFigures
    /// Answers; each may have had several underruns.
    var answers: Int
    var underruns: Int
    var unanswered: Int
    /// Quanta that the device's queue turned away.
    var rejected: Int
    /// Shares of the time, 0...1.
    var device_busy: Double
    var processor_busy: Double
    /// Whether as many sessions hold: ``Knee``.
    var within_knee = false

    init(_ simulation: Simulation, _ result: SimulationResult) {
        device = simulation.device.name
        evidence = simulation.device.evidence
        sessions = simulation.sessions
        turns = result.utterances
        v2v_ms = LatencyFigures(result.voiceToVoice)
        answers = max(0, result.utterances - result.unanswered)
        underruns = result.underruns
        unanswered = result.unanswered
        rejected = result.rejected
        device_busy = result.deviceShare
        processor_busy = result.processorShare
    }

    var point: Knee.Point {
        Knee.Point(
            sessions: sessions,
            p90: v2v_ms.p90,
            answers: answers,
            unanswered: unanswered,
            underruns: underruns,
            lost: rejected
        )
    }

    private static let columnNames = [
        "sessions", "turns", "v2v p50", "p90", "p99", "underruns", "no answer", "device busy", "processor",
    ]

    /// The heading of ``columns``.
    static let heading = "device".padded(to: 11) + columnNames.map { "  " + $0 }.joined()

    /// The row for people; V2V in whole milliseconds.
    var columns: String {
        func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }
        let values = [
            "\(sessions)", "\(turns)", whole(v2v_ms.p50), whole(v2v_ms.p90), whole(v2v_ms.p99), "\(underruns)",
            "\(unanswered)", whole(100 * device_busy) + " %", whole(100 * processor_busy) + " %",
        ]
        let cells = zip(values, Self.columnNames).map { "  " + $0.leftPadded(to: $1.count) }.joined()
        return device.padded(to: 11) + cells + (within_knee ? "" : "  !")
    }
}
