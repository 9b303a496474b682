internal import VoiceCore

/// What is known about a stream that is heard: loss and jitter as RFC 3550 counts them (appendices A.1, A.3, A.8).
///
/// Without the probation of A.1: SRTP has shown where the packets come from.
struct Reception: Sendable {
    /// A jump ahead up to this is loss; a larger one is a new beginning, if the next packet confirms it (A.1).
    private static let dropoutLimit: UInt16 = 3000
    /// A number this much lower is late; a lower one is a new beginning.
    private static let misorderLimit: UInt16 = 100

    /// Packets that came, with duplicates.
    private(set) var received = 0
    /// Interarrival jitter in timestamp units.
    private(set) var jitter = 0.0
    /// When the last packet came.
    private(set) var lastHeard = Duration.zero

    private let rate: SampleRate
    private var base: UInt32
    private var highest: UInt32
    private var suspect: UInt16?
    private var transit: Double?
    private var lastTimestamp: UInt32 = 0
    private var unwrapped: Int64 = 0
    private var reported = (expected: 0, received: 0)
    private var senderReport: (middle: UInt32, arrival: Duration)?

    /// Begins with the number of the first packet; the timestamps count at `rate`.
    init(first sequence: UInt16, rate: SampleRate) {
        self.rate = rate
        base = UInt32(sequence)
        highest = UInt32(sequence)
    }

    /// The highest number so far, with how often it wrapped in the upper half.
    var highestSequence: UInt32 { highest }
    /// Packets there should have been.
    var expected: Int { Int(highest) - Int(base) + 1 }
    /// Packets that did not come; less than zero with duplicates.
    var lost: Int { expected - received }
    /// The jitter as a time.
    var jitterTime: Duration { .seconds(jitter / Double(rate.hertz)) }

    /// Counts a packet.
    ///
    /// - Parameter isRegular: false if its timestamp does not say when it was made, as with telephone events, which keep
    ///   that of their beginning.
    mutating func record(_ packet: RTPPacket, isRegular: Bool = true, at now: Duration) {
        lastHeard = now
        guard place(packet.sequence) else { return }
        received += 1
        if isRegular { recordTransit(packet.timestamp, at: now) }
    }

    /// Remembers a sender report, so that our next report can answer it.
    mutating func record(_ report: RTCPPacket.SenderReport, at now: Duration) {
        senderReport = (report.time.middle, now)
    }

    /// Makes the block of a report; what was lost since the previous one counts from here on anew (A.3).
    mutating func report(source: UInt32, at now: Duration) -> ReceptionReport {
        let interval = (expected: expected - reported.expected, received: received - reported.received)
        reported = (expected, received)
        let missing = max(0, interval.expected - interval.received)
        let fraction = interval.expected > 0 ? min(255, missing * 256 / interval.expected) : 0
        return ReceptionReport(
            source: source,
            fractionLost: UInt8(fraction),
            lost: Int32(min(max(lost, -0x80_0000), 0x7f_ffff)),
            highestSequence: highest,
            jitter: UInt32(min(jitter, Double(Int32.max))),
            lastSenderReport: senderReport?.middle ?? 0,
            delay: senderReport.map { (now - $0.arrival).ntpUnits } ?? 0
        )
    }

    /// False for the first packet after a jump, which may be a stray.
    private mutating func place(_ sequence: UInt16) -> Bool {
        let ahead = sequence &- UInt16(truncatingIfNeeded: highest)
        if ahead < Self.dropoutLimit {
            highest = highest &+ UInt32(ahead)
        } else if ahead <= 0 &- Self.misorderLimit {
            guard suspect == sequence else {
                suspect = sequence &+ 1
                return false
            }
            (base, highest, received, reported) = (UInt32(sequence), UInt32(sequence), 0, (0, 0))
        }
        suspect = nil
        return true
    }

    private mutating func recordTransit(_ timestamp: UInt32, at now: Duration) {
        unwrapped += Int64(Int32(bitPattern: timestamp &- lastTimestamp))
        lastTimestamp = timestamp
        let current = now.seconds * Double(rate.hertz) - Double(unwrapped)
        defer { transit = current }
        guard let transit else { return }
        jitter += (abs(current - transit) - jitter) / 16
    }
}

extension Duration {
    fileprivate var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
