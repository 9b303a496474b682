/// How many conversations a machine carries before answers come noticeably later or break.
///
/// The knee is the largest number of sessions that holds, with all smaller numbers that were tried: the 90th percentile of voice to
/// voice is at most 1.5 times that of the fewest sessions, nobody was refused or cut off, at most one answer in 200 stopped in its
/// middle, and at most one question in 100 got no answer.
enum Knee {
    /// What is known of a number of sessions.
    struct Point: Sendable, Equatable {
        var sessions: Int
        /// The 90th percentile of voice to voice.
        var p90: Double
        var answers: Int
        var unanswered: Int
        var underruns: Int
        /// Sessions that were refused or broke off.
        var lost: Int
    }

    /// How much later answers may come than for the fewest sessions.
    static let tolerance = 1.5

    /// Whether a point is as good as the one with the fewest sessions.
    static func holds(_ point: Point, against first: Point) -> Bool {
        point.answers > 0 && point.lost == 0 && point.p90 <= tolerance * first.p90
            && 200 * point.underruns <= point.answers && 100 * point.unanswered <= point.answers + point.unanswered
    }

    /// The largest number of sessions that holds; nil if not even the fewest do.
    static func sessions(_ points: [Point]) -> Int? {
        let sorted = points.sorted { $0.sessions < $1.sessions }
        guard let first = sorted.first else { return nil }
        return sorted.prefix { holds($0, against: first) }.last?.sessions
    }
}
