internal import Audio
internal import VoiceCore

@testable internal import WebRTC

/// A loudspeaker as a browser has one: what arrives is played a while later, so that an uneven network makes no gap.
struct ScriptedLoudspeaker: ~Copyable {
    /// How much later.
    var delay = Duration.milliseconds(40)

    private static let frameLength = 960

    private var decoder: OpusDecoder
    /// Packets of 20 ms by where they begin, in samples at 48 kHz.
    private var packets: [UInt32: [UInt8]] = [:]
    /// Where what is played next begins; nil before the first packet.
    private var position: UInt32?
    private var begin = Duration.zero

    init(rate: SampleRate) throws { decoder = try OpusDecoder(rate: rate) }

    /// Takes a packet; what would be played in the past begins anew.
    mutating func insert(_ packet: RTPPacket, at now: Duration) {
        if packets.isEmpty, packet.marker || position == nil {
            position = packet.timestamp
            begin = now + delay
        }
        packets[packet.timestamp] = packet.payload
    }

    /// What is played in the next 20 ms.
    mutating func next(at now: Duration) throws -> [Float] {
        guard let position, begin <= now else {
            return [Float](repeating: 0, count: decoder.rate.samples(in: .milliseconds(20)))
        }
        defer { self.position = position &+ UInt32(Self.frameLength) }
        guard let packet = packets.removeValue(forKey: position) else { return try decoder.conceal(Self.frameLength) }
        return try decoder.decode(packet)
    }
}
