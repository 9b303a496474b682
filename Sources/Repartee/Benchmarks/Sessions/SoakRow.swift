internal import VoiceCore

/// Whether a server stays as it is.
struct SoakRow: Encodable {
    /// Memory may surely grow by so many MB an hour: less is not told from the allocator's play.
    private static let slope = 1.0
    /// The last answers' 99th percentile may be so many times the first answers'.
    private static let tolerance = 1.5
    /// Threads that the runtime may have more.
    private static let spareThreads = 2

    var sessions: Int
    var minutes: Double
    var turns: Int
    /// Conversations that were ended and begun anew.
    var calls: Int
    var v2v_first_ms: LatencyFigures
    var v2v_last_ms: LatencyFigures
    /// MB an hour, and the bounds of the 95 % confidence interval; null where the time was too short.
    var memory_slope: Double?
    var memory_slope_low: Double?
    var memory_slope_high: Double?
    var rss_mb_before: Double
    var rss_mb_first: Double
    var rss_mb_last: Double
    var rss_mb_after: Double
    var descriptors_before: Int
    var descriptors_last: Int
    var descriptors_after: Int
    var threads_first: Int
    var threads_last: Int
    var underruns: Int
    var unanswered: Int
    var rejected: Int
    var broken: Int
    /// Cores of the server's process.
    var cpu: Double
    /// What is out of bounds, in words.
    var problems: [String] = []

    init(sessions: Int, _ record: SoakRecord) {
        func mean(_ samples: [SoakRecord.Sample]) -> Double {
            samples.reduce(0) { $0 + $1.usage.megabytes } / Double(max(1, samples.count))
        }
        func median(_ samples: [SoakRecord.Sample], _ value: (ProcessUsage) -> Int) -> Int {
            let sorted = samples.map { value($0.usage) }.sorted()
            return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        }
        let (first, last, memory) = (record.first, record.last, record.memory)
        self.sessions = sessions
        minutes = record.duration / .seconds(60)
        turns = record.notes.questions
        calls = record.notes.calls
        v2v_first_ms = LatencyFigures(first.flatMap(\.voiceToVoice))
        v2v_last_ms = LatencyFigures(last.flatMap(\.voiceToVoice))
        (memory_slope, memory_slope_low, memory_slope_high) = (memory?.slope, memory?.low, memory?.high)
        rss_mb_before = record.before.megabytes
        rss_mb_first = mean(first)
        rss_mb_last = mean(last)
        rss_mb_after = record.after.megabytes
        descriptors_before = record.before.descriptors
        descriptors_last = median(last, \.descriptors)
        descriptors_after = record.after.descriptors
        threads_first = median(first, \.threads)
        threads_last = median(last, \.threads)
        underruns = record.notes.underruns
        unanswered = record.notes.unanswered
        rejected = record.notes.rejected
        broken = record.notes.broken
        cpu = (record.after.processor - record.before.processor) / record.duration
        problems = findProblems()
    }

    private func findProblems() -> [String] {
        var problems: [String] = []
        if let memory_slope_low, memory_slope_low > Self.slope {
            problems.append("memory grows by more than \(Self.slope) MB an hour")
        }
        if descriptors_after > descriptors_before {
            problems.append("\(descriptors_after - descriptors_before) files or sockets stayed open")
        }
        if threads_last > threads_first + Self.spareThreads { problems.append("threads grew in number") }
        if v2v_last_ms.n == 0 || v2v_last_ms.p99 > Self.tolerance * v2v_first_ms.p99 {
            problems.append("answers came later at the end")
        }
        if rejected + broken > 0 { problems.append("\(rejected + broken) conversations were refused or broke off") }
        return problems
    }

    /// For people.
    var lines: [String] {
        func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        func range(_ slope: Double?, _ low: Double?, _ high: Double?) -> String {
            guard let slope, let low, let high else { return "too short to tell" }
            return "\(tenths(slope)) MB an hour (95 %: \(tenths(low)) to \(tenths(high)))"
        }
        return [
            "\(sessions) sessions for \(tenths(minutes)) minutes: \(turns) questions, \(calls) calls ended, \(tenths(cpu)) cores",
            "memory     \(tenths(rss_mb_before)) MB before, \(tenths(rss_mb_first)) at first, \(tenths(rss_mb_last)) at last, "
                + "\(tenths(rss_mb_after)) after; \(range(memory_slope, memory_slope_low, memory_slope_high))",
            "open       \(descriptors_before) before, \(descriptors_last) at last, \(descriptors_after) after; "
                + "threads \(threads_first), then \(threads_last)",
            "V2V, ms    p50 \(tenths(v2v_first_ms.p50)), p99 \(tenths(v2v_first_ms.p99)) at first; "
                + "p50 \(tenths(v2v_last_ms.p50)), p99 \(tenths(v2v_last_ms.p99)) at last",
            "\(underruns) underruns, \(unanswered) unanswered, \(rejected) refused, \(broken) broken",
            problems.isEmpty ? "all within bounds" : "out of bounds: " + problems.joined(separator: "; "),
        ]
    }
}
