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
    /// Of the false cuts, those after which the reply was heard before speech that went on stopped it.
    var audible_starts = 0
    /// The same, as a share of the pauses.
    var audible_start_share = 0.0
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
        case audible_starts, audible_start_share, wait_mean_ms, wait_ms
    }

    /// A score of nothing yet.
    init(rule: String, parameter: String, value: Double) {
        (self.rule, self.parameter, self.value) = (rule, parameter, value)
    }

    /// A turn declared over in this time was cut in the pause before.
    private static let notice = PausedRecording.notice

    /// Adds what happened in a recording.
    /// - Parameter reply: how long after the end of a turn its reply is heard.
    mutating func add(_ commits: [EndpointTrial.Commit], to recording: PausedRecording, reply: Duration) {
        recordings += 1
        pauses += recording.pauses.count
        // The last weak sound may go unnoticed; a turn declared over before that did not end at its end.
        let ends = commits.last.map { $0.at > .seconds(recording.end) - Self.notice } ?? false
        let early = ends ? commits.dropLast() : commits[...]
        var cuts: [Int: [EndpointTrial.Commit]] = [:]
        for commit in early {
            let pause = recording.pauses.lastIndex {
                commit.at > .seconds($0.start) && commit.at < .seconds($0.end) + Self.notice
            }
            if let pause { cuts[pause, default: []].append(commit) } else { cuts_elsewhere += 1 }
        }
        false_cuts += cuts.count
        audible_starts += cuts.values.count { $0.contains { $0.at + reply < $0.resumed ?? .seconds(recording.end) } }
        guard ends, let last = commits.last else {
            unheard += 1
            return
        }
        waits.append((last.at - .seconds(recording.end)).milliseconds)
    }

    /// Sums up.
    mutating func finish() {
        false_cut_share = pauses > 0 ? Double(false_cuts) / Double(pauses) : 0
        audible_start_share = pauses > 0 ? Double(audible_starts) / Double(pauses) : 0
        wait_mean_ms = waits.isEmpty ? 0 : waits.reduce(0, +) / Double(waits.count)
        wait_ms = LatencyFigures(waits)
    }
}
