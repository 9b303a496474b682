internal import Conversation
internal import VoiceCore

/// How a rule for the end of turns did over a set.
struct EndpointScore: Encodable {
    /// The rule's family: the curve that the row lies on.
    var rule: String
    /// What is varied along the curve.
    var parameter: String
    var value: Double
    var recordings = 0
    /// Pauses inside turns.
    var pauses = 0
    /// Pauses in which the turn was declared over.
    var false_cuts = 0
    /// The same, as a share.
    var false_cut_share = 0.0
    /// Declared over where there is no pause of the list: in the middle of a word or a shorter gap.
    var cuts_elsewhere = 0
    /// Turns that never ended, or of which nothing was heard.
    var unheard = 0
    /// From the last sound of each turn until it was declared over.
    var wait_mean_ms = 0.0
    var wait_ms = LatencyFigures([])

    private var waits: [Double] = []

    private enum CodingKeys: CodingKey {
        case rule, parameter, value, recordings, pauses, false_cuts, false_cut_share, cuts_elsewhere, unheard
        case wait_mean_ms, wait_ms
    }

    /// A score of nothing yet.
    init(rule: String, parameter: String, value: Double) {
        (self.rule, self.parameter, self.value) = (rule, parameter, value)
    }

    /// Speech that goes on is noticed so late; a turn declared over in this time was cut in the pause before.
    private static let notice = Duration.milliseconds(250)

    /// Adds what happened in a recording.
    mutating func add(_ commits: [Duration], to recording: PausedRecording) {
        recordings += 1
        pauses += recording.pauses.count
        // The last weak sound may go unnoticed; a turn declared over before that did not end at its end.
        let ends = commits.last.map { $0 > .seconds(recording.end) - Self.notice } ?? false
        let early = ends ? commits.dropLast() : commits[...]
        let cut = recording.pauses.map { pause in
            early.filter { $0 > .seconds(pause.start) && $0 < .seconds(pause.end) + Self.notice }.count
        }
        false_cuts += cut.count { $0 > 0 }
        cuts_elsewhere += early.count - cut.reduce(0, +)
        guard ends, let last = commits.last else {
            unheard += 1
            return
        }
        waits.append((last - .seconds(recording.end)).milliseconds)
    }

    /// Sums up.
    mutating func finish() {
        false_cut_share = pauses > 0 ? Double(false_cuts) / Double(pauses) : 0
        wait_mean_ms = waits.isEmpty ? 0 : waits.reduce(0, +) / Double(waits.count)
        wait_ms = LatencyFigures(waits)
    }
}
