/// Which chunks have arrived: a cumulative TSN and runs behind it, which is what a SACK says (RFC 9260 section 6.2).
struct ReceivedTSNs: Sendable {
    /// Chunks may be so far ahead of the cumulative TSN; bounds the runs. Gaps are 16-bit distances.
    static let window = 8_192
    /// What fits into a packet beside DATA.
    private static let reportedRuns = 200
    private static let reportedDuplicates = 20

    /// Everything up to here has arrived.
    private(set) var cumulative: TSN
    /// Duplicates since the last report.
    private(set) var duplicates: [TSN] = []
    /// Runs behind ``cumulative``, in order, apart from each other: first and last.
    private var runs: [(first: TSN, last: TSN)] = []

    /// Nothing has arrived, and `first` will be the first.
    init(first: TSN) { cumulative = first.previous }

    /// True when something is missing.
    var hasGaps: Bool { !runs.isEmpty }

    /// What ``insert(_:)`` would find.
    enum Novelty { case next, ahead, duplicate, tooFar }

    /// How `tsn` relates to what is here.
    func novelty(of tsn: TSN) -> Novelty {
        guard tsn.isAfter(cumulative) else { return .duplicate }
        if tsn == cumulative.next { return .next }
        if cumulative.distance(to: tsn) > Self.window { return .tooFar }
        return index(of: tsn).isIn ? .duplicate : .ahead
    }

    /// Takes note of a chunk that is ``Novelty/next`` or ``Novelty/ahead``.
    mutating func insert(_ tsn: TSN) {
        if tsn == cumulative.next { return advance(to: tsn) }
        let place = index(of: tsn).index
        let joinsBefore = place > 0 && runs[place - 1].last.next == tsn
        let joinsAfter = place < runs.count && runs[place].first == tsn.next
        switch (joinsBefore, joinsAfter) {
        case (true, true):
            runs[place - 1].last = runs[place].last
            runs.remove(at: place)
        case (true, false): runs[place - 1].last = tsn
        case (false, true): runs[place].first = tsn
        case (false, false): runs.insert((tsn, tsn), at: place)
        }
    }

    /// Takes note of a duplicate.
    mutating func insertDuplicate(_ tsn: TSN) {
        if duplicates.count < Self.reportedDuplicates { duplicates.append(tsn) }
    }

    /// Everything up to `tsn` counts as arrived, because the other side gave it up or because it is the next.
    mutating func advance(to tsn: TSN) {
        cumulative = tsn
        var passed = 0
        for run in runs {
            if run.first.isAfter(cumulative.next) { break }
            if run.last.isAfter(cumulative) { cumulative = run.last }
            passed += 1
        }
        runs.removeFirst(passed)
    }

    /// What to report, which also forgets the duplicates.
    mutating func report(window: Int) -> SelectiveAcknowledgement {
        defer { duplicates = [] }
        let gaps = runs.prefix(Self.reportedRuns).map { run in
            UInt16(clamping: cumulative.distance(to: run.first))...UInt16(clamping: cumulative.distance(to: run.last))
        }
        return SelectiveAcknowledgement(
            cumulative: cumulative,
            window: UInt32(clamping: window),
            gaps: gaps,
            duplicates: duplicates
        )
    }

    /// The first run that ends at or after `tsn`, and whether it holds it.
    private func index(of tsn: TSN) -> (index: Int, isIn: Bool) {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if tsn.isAfter(runs[middle].last) { low = middle + 1 } else { high = middle }
        }
        return (low, low < runs.count && !runs[low].first.isAfter(tsn))
    }
}
