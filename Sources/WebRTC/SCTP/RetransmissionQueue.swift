/// Chunks that were sent and are not cumulatively acknowledged yet, and what acknowledgements say of them (RFC 9260 section 6.2.1
/// and 7.2.4, RFC 3758 section 3.5).
struct RetransmissionQueue: Sendable {
    /// Acknowledgements of later chunks that make one a loss (section 7.2.4).
    private static let reportsOfLoss = 3
    /// Streams that fit into one FORWARD TSN.
    private static let forwardedStreams = 200

    private enum Status {
        case inFlight
        /// To be sent again.
        case lost
        /// Acknowledged by a gap block, which the other side may take back.
        case acknowledged
        /// Given up.
        case abandoned
    }

    private struct Sent {
        var chunk: DataChunk
        var message: OutgoingMessage
        var status = Status.inFlight
        var time: Duration
        var transmissions: UInt32 = 1
        var reports = 0
        var wasSentAgainFast = false
    }

    /// What an acknowledgement changed.
    struct Progress: Equatable {
        /// Payload bytes that are newly acknowledged.
        var bytes = 0
        /// The cumulative TSN moved.
        var hasAdvanced = false
        /// A round trip that was measured.
        var roundTrip: Duration?
        /// Gaps show that something was lost.
        var isLossShown = false
    }

    /// Everything up to here was acknowledged.
    private(set) var acknowledged: TSN
    /// Payload bytes on their way.
    private(set) var flight = 0
    /// Payload bytes in here.
    private(set) var bytes = 0
    /// Contiguous TSNs, from `acknowledged.next` on.
    private var sent = IndexedQueue<Sent>()
    private var lostCount = 0

    /// Nothing was sent; `first` will be the first.
    init(first: TSN) {
        acknowledged = first.previous
    }

    /// Nothing is unacknowledged.
    var isEmpty: Bool { sent.isEmpty }
    /// The TSN that the next new chunk gets.
    var nextTSN: TSN { acknowledged.advanced(by: sent.count + 1) }
    /// The last that was given.
    var lastTSN: TSN { acknowledged.advanced(by: sent.count) }
    /// True when something is to be sent again.
    var hasLosses: Bool { lostCount > 0 }

    /// True when the other side waits for something that was given up.
    var isNextAbandoned: Bool { !sent.isEmpty && sent[0].status == .abandoned }

    /// Takes a chunk that is being sent; its TSN is ``nextTSN``.
    mutating func append(_ chunk: DataChunk, of message: OutgoingMessage, at now: Duration) {
        sent.append(Sent(chunk: chunk, message: message, time: now))
        bytes += chunk.payload.count
        flight += chunk.payload.count
    }

    /// Takes a SACK whose cumulative TSN is neither old nor of the future.
    mutating func acknowledge(_ report: SelectiveAcknowledgement, at now: Duration) -> Progress {
        var progress = Progress()
        let count = acknowledged.distance(to: report.cumulative)
        for _ in 0..<min(count, sent.count) { popFirst(at: now, &progress) }
        let highest = acknowledgeGaps(report, at: now, &progress)
        if let highest { countReports(before: highest, at: now, &progress) }
        return progress
    }

    /// True when `cumulative` can be of an acknowledgement of what was sent, and is no older than the last.
    func accepts(_ cumulative: TSN) -> Bool { acknowledged.distance(to: cumulative) <= sent.count }

    /// Nothing was acknowledged for too long: everything in flight is lost (section 6.3.3).
    mutating func timeOut() {
        for index in 0..<sent.count where sent[index].status == .inFlight { setStatus(.lost, at: index) }
    }

    /// The first chunk to be sent again, and its TSN's place for ``sendAgain(at:now:isFast:)``.
    func firstLoss() -> (index: Int, chunk: DataChunk)? {
        guard lostCount > 0 else { return nil }
        for index in 0..<sent.count where sent[index].status == .lost { return (index, sent[index].chunk) }
        return nil
    }

    /// Notes that a lost chunk is on its way again.
    mutating func sendAgain(at index: Int, now: Duration) {
        setStatus(.inFlight, at: index)
        sent[index].transmissions &+= 1
        sent[index].time = now
        sent[index].reports = 0
    }

    // MARK: - giving up

    /// Gives up lost messages that are too old or were sent too often.
    /// - Returns: messages of which the rest must not be sent either.
    mutating func abandon(at now: Duration) -> [OutgoingMessage] {
        var abandoned: [OutgoingMessage] = []
        guard lostCount > 0 else { return abandoned }
        for index in 0..<sent.count where sent[index].status == .lost && isHopeless(sent[index], at: now) {
            let message = sent[index].message
            abandoned.append(message)
            abandonChunks(of: message.identity, around: index)
        }
        return abandoned
    }

    /// Gives a TSN to the rest of a message that was given up, so that the other side learns of its end even when it has
    /// acknowledged all that it got.
    mutating func appendAbandonedRest(of message: OutgoingMessage, at now: Duration) {
        let chunk = DataChunk(
            tsn: nextTSN,
            stream: message.stream,
            sequence: message.sequence ?? 0,
            protocolIdentifier: message.protocolIdentifier,
            isOrdered: message.isOrdered,
            isFirst: false,
            isLast: true,
            payload: []
        )
        sent.append(Sent(chunk: chunk, message: message, status: .abandoned, time: now))
    }

    /// What to tell the other side of what was given up, from ``acknowledged`` on (RFC 3758 section 3.5 rules C1 to C3); nil when
    /// there is nothing.
    func forward() -> ForwardTSN? {
        var count = 0
        var streams: [UInt16: UInt16] = [:]
        while count < sent.count, sent[count].status == .abandoned, streams.count < Self.forwardedStreams {
            if sent[count].chunk.isOrdered { streams[sent[count].chunk.stream] = sent[count].chunk.sequence }
            count += 1
        }
        guard count > 0 else { return nil }
        let named = streams.sorted { $0.key < $1.key }.map { ForwardTSN.Stream(stream: $0.key, sequence: $0.value) }
        return ForwardTSN(cumulative: acknowledged.advanced(by: count), streams: named)
    }

    private func isHopeless(_ sent: Sent, at now: Duration) -> Bool {
        switch sent.message.reliability {
        case .reliable: false
        case .retransmissions(let count): sent.transmissions > count
        case .lifetime: sent.message.isExpired(at: now)
        }
    }

    /// The chunks of a message stand beside each other.
    private mutating func abandonChunks(of identity: Int, around index: Int) {
        var place = index
        while place >= 0, sent[place].message.identity == identity {
            setStatus(.abandoned, at: place)
            place -= 1
        }
        place = index + 1
        while place < sent.count, sent[place].message.identity == identity {
            setStatus(.abandoned, at: place)
            place += 1
        }
    }

    // MARK: - acknowledgements

    private mutating func popFirst(at now: Duration, _ progress: inout Progress) {
        if sent[0].status != .acknowledged, sent[0].status != .abandoned { acknowledge(at: 0, now: now, &progress) }
        setStatus(.acknowledged, at: 0)
        guard let passed = sent.popFirst() else { return }
        bytes -= passed.chunk.payload.count
        acknowledged = acknowledged.next
        progress.hasAdvanced = true
    }

    /// Marks what gap blocks name, and takes back what earlier ones named and these do not (section 6.2.1).
    /// - Returns: the place of the highest chunk that is newly acknowledged.
    private mutating func acknowledgeGaps(
        _ report: SelectiveAcknowledgement,
        at now: Duration,
        _ progress: inout Progress
    ) -> Int? {
        var highest: Int?
        var index = 0
        for gap in report.gaps {
            // Distances are from the cumulative TSN: 1 is the chunk at place 0.
            let (start, end) = (Int(gap.lowerBound) - 1, min(Int(gap.upperBound) - 1, sent.count - 1))
            while index < min(start, sent.count) {
                takeBack(at: index)
                index += 1
            }
            while index <= end {
                if sent[index].status == .inFlight || sent[index].status == .lost {
                    acknowledge(at: index, now: now, &progress)
                    setStatus(.acknowledged, at: index)
                    highest = index
                }
                index += 1
            }
        }
        while index < sent.count {
            takeBack(at: index)
            index += 1
        }
        return highest
    }

    private mutating func takeBack(at index: Int) {
        if sent[index].status == .acknowledged { setStatus(.inFlight, at: index) }
    }

    private mutating func acknowledge(at index: Int, now: Duration, _ progress: inout Progress) {
        progress.bytes += sent[index].chunk.payload.count
        if sent[index].transmissions == 1 { progress.roundTrip = now - sent[index].time }
    }

    /// Counts a report of loss for what is missing before the highest newly acknowledged chunk (section 7.2.4).
    private mutating func countReports(before highest: Int, at now: Duration, _ progress: inout Progress) {
        for index in 0..<highest where sent[index].status == .inFlight {
            sent[index].reports += 1
            guard sent[index].reports >= Self.reportsOfLoss else { continue }
            // A chunk is sent again fast only once; but one that will not be sent again need not wait for the timeout.
            guard !sent[index].wasSentAgainFast || isHopeless(sent[index], at: now) else { continue }
            progress.isLossShown = progress.isLossShown || !sent[index].wasSentAgainFast
            sent[index].wasSentAgainFast = true
            setStatus(.lost, at: index)
        }
    }

    private mutating func setStatus(_ status: Status, at index: Int) {
        let old = sent[index].status
        let length = sent[index].chunk.payload.count
        if old == .inFlight { flight -= length }
        if old == .lost { lostCount -= 1 }
        if status == .inFlight { flight += length }
        if status == .lost { lostCount += 1 }
        sent[index].status = status
    }
}
