internal import VoiceCore

/// The stream that we send: numbers packets and knows what a sender report says.
struct RTPSender: Sendable {
    /// Our SSRC.
    let source: UInt32
    /// Packets so far.
    private(set) var packets = 0

    private let rate: SampleRate
    /// Added to all timestamps, so that nobody can guess them (RFC 3550 section 5.1).
    private let offset: UInt32
    private var sequence: UInt16
    private var octets = 0
    private var last: (timestamp: UInt32, time: Duration)?

    /// Begins at random numbers; timestamps count at `rate`.
    init(rate: SampleRate, random: inout some RandomNumberGenerator) {
        self.rate = rate
        source = UInt32.random(in: 1 ... .max, using: &random)
        offset = UInt32.random(in: 0 ... .max, using: &random)
        // The lower half leaves the receiver's SRTP time to find the rollover counter (RFC 3711 section 3.3.1).
        sequence = UInt16.random(in: 0..<0x8000, using: &random)
    }

    /// Makes the next packet; `timestamp` is the media's own time and may begin anywhere.
    mutating func packet(
        _ payload: [UInt8],
        type: UInt8,
        timestamp: UInt32,
        marker: Bool,
        at now: Duration
    ) -> RTPPacket {
        defer { sequence &+= 1 }
        packets += 1
        octets += payload.count
        last = (timestamp &+ offset, now)
        return RTPPacket(
            marker: marker,
            payloadType: type,
            sequence: sequence,
            timestamp: timestamp &+ offset,
            source: source,
            payload: payload
        )
    }

    /// What a sender report says; nil before the first packet.
    func report(at now: Duration) -> RTCPPacket.SenderReport? {
        guard let last else { return nil }
        // What a packet made now would carry (RFC 3550 section 6.4.1).
        let elapsed = UInt32(truncatingIfNeeded: rate.samples(in: now - last.time))
        return RTCPPacket.SenderReport(
            time: NTPTime(now),
            timestamp: last.timestamp &+ elapsed,
            packets: UInt32(truncatingIfNeeded: packets),
            octets: UInt32(truncatingIfNeeded: octets)
        )
    }
}
