package import VoiceCore

/// Evens out the arrival of Opus packets: packets in as they come, frames out by the clock, as early as the network allows.
///
/// **Insert what arrives; call ``next(at:)`` once for every frame's length of time.** Time is any clock that goes forward, the same in
/// both. No clock, socket or task inside.
///
/// A packet waits as long as its slower fellows need (``DelayEstimate``), within ``Configuration/delays``. What is lost is recovered
/// from the packet behind where that has it, else made up. What is late is still played if nothing has been played in its place:
/// then all that follows is later, until silence or a steady vowel allows to catch up.
package struct JitterBuffer: ~Copyable {
    /// What a jitter buffer may do.
    package struct Configuration: Sendable {
        /// Between which delays it adapts.
        package var delays = Duration.milliseconds(20)...Duration.milliseconds(60)
        /// Up to here a delay that late packets have caused stays, while packets are as late as that: shorter it would cost a gap
        /// again.
        package var longestDelay = Duration.milliseconds(120)
        /// The delay to begin with.
        package var initialDelay = Duration.milliseconds(40)
        /// The length of the frames that come out; 10 or 20 ms.
        package var frame = Duration.milliseconds(20)

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

    /// What has been done.
    package internal(set) var statistics = JitterStatistics()

    let configuration: Configuration
    let frameLength: Int
    let stretch: TimeStretch
    var decoder: OpusDecoder
    var delays = DelayEstimate()
    /// In order of sequence numbers.
    var packets: [Stored] = []
    private var order = PacketOrder()

    /// Where what is to be decoded next begins on the sender's clock; nil before playing.
    var position: Int?
    /// The sequence number behind the last one decoded.
    var expected: Int?
    /// Samples at 48 kHz that were made up while nothing was there, and what they stand for is not known yet.
    var starved = 0
    /// Samples at 48 kHz made up in a row.
    var concealedInRow = 0
    /// Decoded and not yet played.
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
        stretch = TimeStretch(hertz: rate.hertz)
    }

    /// Packets that wait.
    package var held: Int { packets.count }

    /// How long a packet that is as fast as the fastest should wait.
    package var targetDelay: Duration {
        min(max(neededDelay, configuration.delays.lowerBound), configuration.delays.upperBound)
    }

    var neededDelay: Duration { delays.lateness + configuration.frame / 2 }

    /// How long such a packet does wait, at the next frame; nil before playing.
    package func delay(at now: Duration) -> Duration? {
        guard let position, let fastest = delays.fastestTransit else { return nil }
        let unplayed = position - ready.count * OpusPacket.clock.hertz / decoder.rate.hertz
        return now - fastest - Self.duration(unplayed)
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

    /// Forgets the stream, for another one (a new SSRC); what has been decoded is still played.
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
