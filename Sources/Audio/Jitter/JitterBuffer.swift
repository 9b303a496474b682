package import VoiceCore

/// Puts arriving Opus packets in order and hands their sound on as soon as it is whole: for a listener that needs no even pace, as
/// a recogniser or a detector of voices.
///
/// **Insert what arrives, then take frames with ``next(at:)`` until there is none; come again at ``nextDue``.** Time is any clock
/// that goes forward, the same in all calls. No clock, socket or task inside.
///
/// A packet that is next in order comes out at once, so a network that loses nothing costs no time. One that is missing is waited
/// for as long as its slower fellows need (``DelayEstimate``), within ``Configuration/patience``; then it is recovered from the
/// packet behind where that has it, else made up. What comes after its place was filled is still handed on, if nothing behind it
/// was, and makes the stream longer than the time that it took; the next quiet packets are left out for that.
package struct JitterBuffer: ~Copyable {
    /// What a jitter buffer may do.
    package struct Configuration: Sendable {
        /// Between which bounds it waits for a missing packet, from when it should have been there. Below 20 ms and a network's
        /// least unevenness the packet behind could not be there to recover it from.
        package var patience = Duration.milliseconds(30)...Duration.milliseconds(120)
        /// The length of the frames that come out; 10 or 20 ms.
        package var frame = Duration.milliseconds(20)

        /// How long it waits at least while it does not know the network yet.
        package var initialPatience = Duration.milliseconds(80)

        /// Makes the configuration for a conversation.
        package init() {}
    }

    /// An RTP packet's place and contents (RFC 3550 section 5.1, RFC 7587 section 4.2).
    package struct Packet: Sendable {
        package var sequence: UInt16
        /// In samples at 48 kHz.
        package var timestamp: UInt32
        /// The first of a talkspurt: what is missing before it was never sent.
        package var marker: Bool
        /// Opus.
        package var payload: [UInt8]

        /// Makes a packet.
        package init(sequence: UInt16, timestamp: UInt32, marker: Bool = false, payload: [UInt8]) {
            self.sequence = sequence
            self.timestamp = timestamp
            self.marker = marker
            self.payload = payload
        }
    }

    struct Stored: Sendable {
        var sequence: Int
        /// Where its sound begins and ends on the sender's clock, in samples at 48 kHz.
        var start: Int
        var end: Int
        var marker: Bool
        var payload: [UInt8]
        var hasCorrection: Bool
    }

    /// The most packets that wait: two seconds of 20 ms.
    static let capacity = 100
    /// A packet that is earlier or later than the others by more is another stream's.
    private static let longestGap = Duration.seconds(2)
    /// What is made up at a time, 10 ms, and after how long only silence is; samples at 48 kHz.
    static let concealment = 480
    static let longestConcealment = 5_760
    /// So much may be made up between two packets however soon they came behind each other.
    static let leastFilling = Duration.milliseconds(100)

    /// What has been done.
    package internal(set) var statistics = JitterStatistics()

    let configuration: Configuration
    let frameLength: Int
    var decoder: OpusDecoder
    var delays = DelayEstimate()
    var quiet = QuietSound()
    /// In order of sequence numbers.
    var packets: [Stored] = []
    private var order = PacketOrder()

    /// Where what is to be decoded next begins on the sender's clock; nil before the first packet.
    var position: Int?
    /// The sequence number behind the last one decoded.
    var expected: Int?
    /// When the latest frame was taken.
    var latest = Duration.zero
    /// When the latest packet was decoded.
    var latestDecoded = Duration.zero
    /// Samples at 48 kHz that were made up while nothing was there, and what they stand for is not known yet.
    var starved = 0
    /// Samples at 48 kHz that stood for something that came after all.
    var surplus = 0
    /// Samples at 48 kHz made up in a row.
    var concealedInRow = 0
    /// Decoded and not yet taken.
    var ready: [Float] = []
    var mediaPosition = 0

    /// Makes a buffer.
    ///
    /// - Parameter rate: of the frames that come out: 8, 12, 16, 24 or 48 kHz.
    /// - Throws: `usage` for another rate, `exhausted` without memory.
    package init(rate: SampleRate, configuration: Configuration = Configuration()) throws(VoiceError) {
        decoder = try OpusDecoder(rate: rate)
        self.configuration = configuration
        frameLength = rate.samples(in: configuration.frame)
    }

    /// Packets that wait.
    package var held: Int { packets.count }

    /// How long a missing packet is waited for.
    package var patience: Duration {
        let least = delays.isKnown ? configuration.patience.lowerBound : configuration.initialPatience
        return min(max(delays.lateness, least), configuration.patience.upperBound)
    }

    /// When there is a frame even if nothing arrives; nil before the first packet.
    package var nextDue: Duration? {
        position == nil ? nil : latest + configuration.frame + (starved == 0 ? patience : .zero)
    }

    // MARK: - in

    /// Takes a packet that arrived at `now`. Whatever cannot be used is dropped and counted.
    package mutating func insert(_ packet: Packet, at now: Duration) {
        statistics.received += 1
        guard let contents = try? OpusPacket(packet.payload) else {
            statistics.discarded += 1
            return
        }
        let fastest = delays.fastestTransit
        var place = order.place(packet) { start in
            guard let fastest else { return true }
            let later = now - Self.duration(start) - fastest
            return later < Self.longestGap && later > .zero - Self.longestGap
        }
        if place == .restart {
            reset()
            statistics.restarts += 1
            place = order.place(packet) { _ in true }
        }
        guard case .new(let sequence, let start) = place else {
            if place == .duplicate { statistics.duplicates += 1 } else { statistics.discarded += 1 }
            return
        }
        delays.observe(arrival: now, media: Self.duration(start))
        if let expected, sequence < expected {
            statistics.late += 1
            return
        }
        if packets.count >= Self.capacity {
            packets.removeFirst()
            statistics.discarded += 1
        }
        let index = packets.lastIndex { $0.sequence < sequence }.map { $0 + 1 } ?? 0
        let stored = Stored(
            sequence: sequence,
            start: start,
            end: start + contents.samples,
            marker: packet.marker,
            payload: packet.payload,
            hasCorrection: contents.hasCorrection
        )
        packets.insert(stored, at: index)
    }

    /// Forgets the stream, for another one (a new SSRC); what has been decoded still comes out.
    package mutating func reset() {
        delays = DelayEstimate()
        packets = []
        order = PacketOrder()
        position = nil
        expected = nil
        starved = 0
        concealedInRow = 0
        decoder.reset()
    }

    static func duration(_ samples: Int) -> Duration { OpusPacket.clock.duration(ofSamples: samples) }
}
