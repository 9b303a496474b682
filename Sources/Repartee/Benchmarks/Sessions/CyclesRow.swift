/// What conversations that begin and end leave behind.
struct CyclesRow: Encodable {
    /// A conversation may leave so many kB of 10^3 bytes: less is not told from the allocator's play.
    private static let bound = 2.0

    var cycles: Int
    var seconds: Double
    /// After a tenth of the cycles, and after all.
    var rss_mb_first: Double
    var rss_mb_after: Double
    var kb_per_cycle: Double
    var descriptors_before: Int
    var descriptors_after: Int
    var threads_first: Int
    var threads_after: Int
    var rejected: Int
    var broken: Int
    /// What is out of bounds, in words.
    var problems: [String]

    /// - Parameters:
    ///   - counted: conversations between `first` and `after`.
    init(
        cycles: Int,
        counted: Int,
        seconds: Double,
        before: ProcessUsage,
        first: ProcessUsage,
        after: ProcessUsage,
        notes: CallerNotes
    ) {
        self.cycles = cycles
        self.seconds = seconds
        rss_mb_first = first.megabytes
        rss_mb_after = after.megabytes
        kb_per_cycle = 1000 * (after.megabytes - first.megabytes) / Double(max(1, counted))
        descriptors_before = before.descriptors
        descriptors_after = after.descriptors
        threads_first = first.threads
        threads_after = after.threads
        rejected = notes.rejected
        broken = notes.broken
        problems = []
        if kb_per_cycle > Self.bound { problems.append("a conversation leaves more than \(Self.bound) kB") }
        if descriptors_after > descriptors_before {
            problems.append("\(descriptors_after - descriptors_before) files or sockets stayed open")
        }
        if threads_after > threads_first + 2 { problems.append("threads grew in number") }
        if rejected + broken > 0 { problems.append("\(rejected + broken) conversations were refused or broke off") }
    }

    /// For people.
    var lines: [String] {
        [
            "\(cycles) conversations begun and ended in \(Int(seconds)) s",
            "memory     \(rss_mb_first) MB after a tenth, \(rss_mb_after) after all: \((kb_per_cycle * 100).rounded() / 100) kB each",
            "open       \(descriptors_before) before, \(descriptors_after) after; threads \(threads_first), then \(threads_after)",
            "\(rejected) refused, \(broken) broken",
            problems.isEmpty ? "all within bounds" : "out of bounds: " + problems.joined(separator: "; "),
        ]
    }
}
