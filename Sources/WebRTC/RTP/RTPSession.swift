internal import VoiceCore

/// RTP's side of a call (RFC 3550): our stream, the ones we hear, and the reports about both.
struct RTPSession: Sendable {
    /// Streams of which it is known how they are heard; the one silent for longest goes first.
    static let receptionLimit = 8
    /// Reports come this soon at first, so that the round trip is known early, and ``reportInterval`` apart later
    /// (RFC 3550 section 6.2: five seconds on average, with chance, lest all report at once).
    static let firstReportInterval = Duration.seconds(1)
    static let firstReports = 5
    static let reportInterval = Duration.seconds(5)

    /// When ``report(at:)`` is to be called next.
    private(set) var nextReport: Duration

    private let rate: SampleRate
    private let name: String
    private var sender: RTPSender
    private var receptions: [UInt32: Reception] = [:]
    private var latest: UInt32?
    private var reports = 0
    private var lastReport = Duration.zero
    private var remote = RTPStatistics()
    private var random: SplitMix64

    /// Begins at time zero, see ``begin(at:)``; `name` is our CNAME (RFC 7022).
    init(rate: SampleRate, name: String, random: inout some RandomNumberGenerator) {
        self.rate = rate
        self.name = name
        sender = RTPSender(rate: rate, random: &random)
        self.random = SplitMix64(seed: random.next())
        nextReport = Self.firstReportInterval
    }

    /// Says that packets can flow from now on: reports begin.
    mutating func begin(at now: Duration) { nextReport = now + Self.firstReportInterval }

    /// Our SSRC.
    var source: UInt32 { sender.source }

    /// What is known about the way there and back.
    var statistics: RTPStatistics {
        var statistics = remote
        statistics.sent = sender.packets
        guard let reception = latest.flatMap({ receptions[$0] }) else { return statistics }
        statistics.received = reception.received
        statistics.lost = reception.lost
        statistics.jitter = reception.jitterTime
        return statistics
    }

    /// Makes our next packet.
    mutating func send(_ payload: [UInt8], type: UInt8, timestamp: UInt32, marker: Bool, at now: Duration) -> RTPPacket
    {
        sender.packet(payload, type: type, timestamp: timestamp, marker: marker, at: now)
    }

    /// Counts a packet that came in; see ``Reception/record(_:isRegular:at:)``.
    mutating func receive(_ packet: RTPPacket, isRegular: Bool, at now: Duration) {
        latest = packet.source
        var reception = receptions[packet.source] ?? Reception(first: packet.sequence, rate: rate)
        reception.record(packet, isRegular: isRegular, at: now)
        receptions[packet.source] = reception
        guard receptions.count > Self.receptionLimit else { return }
        let quietest = receptions.min { ($0.value.lastHeard, $0.key) < ($1.value.lastHeard, $1.key) }
        if let quietest { receptions[quietest.key] = nil }
    }

    /// Takes what the other side reports.
    mutating func receive(_ packets: [RTCPPacket], at now: Duration) {
        for packet in packets {
            switch packet {
            case .senderReport(let source, let report, let blocks):
                receptions[source]?.record(report, at: now)
                receive(blocks, at: now)
            case .receiverReport(_, let blocks): receive(blocks, at: now)
            case .negativeAcknowledgement, .pictureLossIndication: remote.repeatRequests += 1
            // Whoever says good-bye falls silent, and who is silent is not reported on.
            case .goodbye, .sourceDescription, .other: break
            }
        }
    }

    /// Makes the compound packet that is due, and sets ``nextReport``.
    mutating func report(at now: Duration) -> [UInt8] {
        reports += 1
        let interval = Self.reportInterval * Double.random(in: 0.5...1.5, using: &random)
        nextReport = now + (reports < Self.firstReports ? Self.firstReportInterval : interval)
        // Who was silent since the last report is not reported on (RFC 3550 section 6.4).
        let heard = receptions.filter { $0.value.lastHeard >= lastReport }.keys.sorted()
        lastReport = now
        let blocks = heard.compactMap { receptions[$0]?.report(source: $0, at: now) }
        return compound(blocks, [], at: now)
    }

    /// Makes the compound packet that says good-bye.
    func goodbye(at now: Duration) -> [UInt8] { compound([], [.goodbye([source])], at: now) }

    /// A report first, then our name (RFC 3550 section 6.1).
    private func compound(_ blocks: [ReceptionReport], _ more: [RTCPPacket], at now: Duration) -> [UInt8] {
        let report: RTCPPacket =
            sender.report(at: now).map { .senderReport(source: source, $0, blocks) }
            ?? .receiverReport(source: source, blocks)
        let packets = [report, .sourceDescription([.init(source: source, name: name)])] + more
        return packets.flatMap { $0.bytes ?? [] }
    }

    private mutating func receive(_ blocks: [ReceptionReport], at now: Duration) {
        for block in blocks where block.source == source {
            remote.remoteLost = Int(block.lost)
            remote.remoteFractionLost = Double(block.fractionLost) / 256
            remote.remoteJitter = .seconds(Double(block.jitter) / Double(rate.hertz))
            guard block.lastSenderReport != 0 else { continue }
            let elapsed = NTPTime(now).middle &- block.lastSenderReport &- block.delay
            // Clocks that disagree make it negative: then it is nothing we can measure.
            remote.roundTrip = Int32(bitPattern: elapsed) < 0 ? .zero : Duration(ntpUnits: elapsed)
        }
    }
}
