internal import VoiceCore

/// What so many conversations at a time gave.
struct SessionsRow: Encodable {
    /// What a session costs that nobody speaks in, beyond what the server uses without any.
    struct Idle: Encodable {
        /// A share of one core.
        var cpu_per_session: Double
        var mb_per_session: Double
    }

    var sessions: Int
    /// Questions that were begun.
    var turns: Int
    var v2v_ms: LatencyFigures
    /// How much later pieces of sound came than their answer's schedule wants.
    var pacing_ms: LatencyFigures
    var answers: Int
    var underruns: Int
    var unanswered: Int
    var false_starts: Int
    var rejected: Int
    /// Conversations that broke off, or could not begin for another reason than want of room.
    var broken: Int
    /// Cores of the server's process.
    var cpu: Double
    var rss_mb: Double
    var threads: Int
    var idle: Idle
    var client_cores: Double
    /// How late the callers' own clock was, which counts as the server's lateness.
    var client_lag_p99_ms: Double
    /// Cores that other programs took.
    var other_cores: Double
    /// Whether as many sessions hold: ``Knee``.
    var within_knee = false

    var point: Knee.Point {
        Knee.Point(
            sessions: sessions,
            p90: v2v_ms.p90,
            answers: answers,
            unanswered: unanswered,
            underruns: underruns,
            lost: rejected + broken
        )
    }

    private static let columnNames = [
        "sessions", "turns", "v2v p50", "p90", "p99", "pacing p99", "underruns", "no answer", "rejected", "broken",
        "cores",
        "MB", "idle core %", "idle MB", "client lag", "others",
    ]

    /// The heading of ``columns``.
    static let heading = columnNames.map { "  " + $0 }.joined()

    /// The row for people; times in milliseconds.
    var columns: String {
        func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        func hundredths(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        let values = [
            "\(sessions)", "\(turns)", tenths(v2v_ms.p50), tenths(v2v_ms.p90), tenths(v2v_ms.p99),
            tenths(pacing_ms.p99),
            "\(underruns)", "\(unanswered)", "\(rejected)", "\(broken)", hundredths(cpu), tenths(rss_mb),
            hundredths(100 * idle.cpu_per_session), hundredths(idle.mb_per_session), tenths(client_lag_p99_ms),
            hundredths(other_cores),
        ]
        return zip(values, Self.columnNames).map { "  " + $0.leftPadded(to: $1.count) }.joined()
            + (within_knee ? "" : "  !")
    }
}

extension String {
    /// The text with spaces before it, so that it has at least so many characters.
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
