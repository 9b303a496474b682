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

    private struct Stored: Sendable {
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
    /// A gap that is longer, or a packet that is further off, is another stream's.
    private static let longestGap = Duration.seconds(2)
    /// Jumps of sequence numbers that are a restart (RFC 3550 appendix A.1: MAX_DROPOUT and MAX_MISORDER).
    private static let longestDropout = 3_000
    private static let longestMisorder = 100
    /// What is made up at a time, 10 ms, and after how long only silence is.
    private static let concealment = 480
    private static let longestConcealment = 5_760

    /// What has been done.
    package private(set) var statistics = JitterStatistics()

    private let configuration: Configuration
    private let frameLength: Int
    private let stretch: TimeStretch
    private var decoder: OpusDecoder
    private var delays = DelayEstimate()
    /// In order of sequence numbers.
    private var packets: [Stored] = []
    /// The newest packet, to unwrap the numbers of others.
    private var newest: (sequence: Int, timestamp: Int)?
    /// Sequence numbers that have come, of the last ``longestMisorder``.
    private var seen: Set<Int> = []
    /// A packet whose numbers do not fit: a second one in a row begins again (RFC 3550 appendix A.1).
    private var strange: UInt16?

    /// Where what is to be decoded next begins on the sender's clock; nil before playing.
    private var position: Int?
    /// The sequence number behind the last one decoded.
    private var expected: Int?
    /// Samples at 48 kHz that were made up while nothing was there, and what they stand for is not known yet.
    private var starved = 0
    /// Samples at 48 kHz made up in a row.
    private var concealedInRow = 0
    /// Decoded and not yet played.
    private var ready: [Float] = []
    private var mediaPosition = 0

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

    private var neededDelay: Duration { delays.lateness + configuration.frame / 2 }

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
        guard let (sequence, start) = unwrap(packet, at: now) else { return }
        guard seen.insert(sequence).inserted else {
            statistics.duplicates += 1
            return
        }
        if seen.count > 2 * Self.longestMisorder {
            let oldest = (newest?.sequence ?? sequence) - Self.longestMisorder
            seen = seen.filter { $0 >= oldest }
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
        let place = packets.lastIndex { $0.sequence < sequence }.map { $0 + 1 } ?? 0
        let stored = Stored(
            sequence: sequence,
            start: start,
            end: start + contents.samples,
            marker: packet.marker,
            payload: packet.payload,
            hasCorrection: contents.hasCorrection
        )
        packets.insert(stored, at: place)
    }

    /// Forgets the stream, for another one (a new SSRC); what has been decoded is still played.
    package mutating func reset() {
        delays = DelayEstimate()
        packets = []
        newest = nil
        seen = []
        strange = nil
        position = nil
        expected = nil
        starved = 0
        concealedInRow = 0
        decoder.reset()
    }

    /// The packet's numbers without wrapping; nil for one that does not belong here, which the next one may show to be a restart.
    private mutating func unwrap(_ packet: Packet, at now: Duration) -> (sequence: Int, start: Int)? {
        guard let newest else { return begin(with: packet) }
        let ahead = Int(Int16(bitPattern: packet.sequence &- UInt16(truncatingIfNeeded: newest.sequence)))
        let sequence = newest.sequence + ahead
        let start =
            newest.timestamp
            + Int(Int32(bitPattern: packet.timestamp &- UInt32(truncatingIfNeeded: newest.timestamp)))
        let transit = now - Self.duration(start)
        let isFar = (delays.fastestTransit.map { transit - $0 }).map {
            $0 > Self.longestGap || $0 < .zero - Self.longestGap
        }
        if ahead > Self.longestDropout || ahead < -Self.longestMisorder || isFar == true {
            defer { strange = packet.sequence }
            guard let strange, packet.sequence == strange &+ 1 else {
                statistics.discarded += 1
                return nil
            }
            reset()
            statistics.restarts += 1
            return begin(with: packet)
        }
        strange = nil
        if ahead > 0 { self.newest = (sequence, start) }
        return (sequence, start)
    }

    private mutating func begin(with packet: Packet) -> (sequence: Int, start: Int) {
        // Away from zero, so that an older one is not negative.
        let first = (sequence: 0x10000 + Int(packet.sequence), timestamp: 0x1_0000_0000 + Int(packet.timestamp))
        newest = first
        return (first.sequence, first.timestamp)
    }

    // MARK: - out

    /// The next frame, ``Configuration/frame`` long; silence while there is no stream.
    package mutating func next(at now: Duration) -> AudioFrame {
        if position == nil { startPlaying(at: now) }
        while ready.count < frameLength {
            guard position != nil else {
                ready += [Float](repeating: 0, count: frameLength)
                break
            }
            ready += decodeNext(at: now)
        }
        let samples = Array(ready[..<frameLength])
        ready.removeFirst(frameLength)
        defer { mediaPosition += frameLength }
        if position != nil { statistics.played += frameLength * OpusPacket.clock.hertz / decoder.rate.hertz }
        return AudioFrame(samples: samples, rate: decoder.rate, position: mediaPosition)
    }

    /// Begins with the oldest packet, once the fastest would have waited long enough.
    private mutating func startPlaying(at now: Duration) {
        guard let first = packets.first, let fastest = delays.fastestTransit else { return }
        let wanted = max(configuration.initialDelay, targetDelay)
        guard now - fastest - Self.duration(first.start) >= wanted - configuration.frame / 2 else { return }
        position = first.start
        expected = first.sequence
    }

    /// The next samples to play: decoded, recovered or made up; never none.
    private mutating func decodeNext(at now: Duration) -> [Float] {
        guard let position, let next = packets.first else { return starve() }
        // What was made up while nothing was there stands for what turns out to be missing.
        let missing = next.start - position
        let filled = min(max(missing, 0), starved)
        starved = 0
        self.position = position + filled
        if filled > 0, isPause(before: next) {
            statistics.underruns -= 1
            statistics.concealed -= filled
            statistics.paused += filled
        }
        if missing > filled { return fill(missing - filled, before: next) }
        packets.removeFirst()
        guard let samples = try? decoder.decode(next.payload) else {
            statistics.discarded += 1
            return conceal(next.end - next.start, advancing: true)
        }
        self.position = next.end
        expected = next.sequence + 1
        concealedInRow = 0
        return adjusted(samples, at: now)
    }

    /// Fills a part of what is missing before a packet: a pause if none was lost, else what that packet holds of the lost one.
    private mutating func fill(_ missing: Int, before next: Stored) -> [Float] {
        let isPause = isPause(before: next)
        // Only what came directly before is in the packet, and that was as long as the packet itself (RFC 6716 section 4.2.5).
        let length = next.end - next.start
        if !isPause, next.hasCorrection, missing == length,
            let samples = try? decoder.recover(missing, from: next.payload)
        {
            statistics.recovered += 1
            concealedInRow = 0
            position = next.start
            return samples
        }
        // Up to where the packet's own correction begins.
        let part = !isPause && next.hasCorrection && missing > length ? missing - length : missing
        let samples = conceal(min(part, Self.concealment), advancing: true)
        if isPause {
            statistics.concealed -= min(part, Self.concealment)
            statistics.paused += min(part, Self.concealment)
        }
        return samples
    }

    /// True when nothing was lost before a packet.
    private func isPause(before next: Stored) -> Bool { next.marker || expected == next.sequence }

    /// Nothing is there: makes something up and does not go on, since it may only be late.
    private mutating func starve() -> [Float] {
        if starved == 0 { statistics.underruns += 1 }
        starved += Self.concealment
        return conceal(Self.concealment, advancing: false)
    }

    /// Makes up so many samples at 48 kHz; after a while, silence.
    private mutating func conceal(_ samples: Int, advancing: Bool) -> [Float] {
        statistics.concealed += samples
        concealedInRow += samples
        if advancing { position = position.map { $0 + samples } }
        let silence = [Float](repeating: 0, count: max(1, samples * decoder.rate.hertz / OpusPacket.clock.hertz))
        guard concealedInRow <= Self.longestConcealment, samples % 120 == 0 else { return silence }
        return (try? decoder.conceal(samples)) ?? silence
    }

    /// Brings the delay nearer to its target: by one period of a voice, or by all of a silence.
    private mutating func adjusted(_ samples: [Float], at now: Duration) -> [Float] {
        // These samples count as played: what follows is what may wait too long.
        guard let delay = delay(at: now) else { return samples }
        let length = decoder.rate.duration(ofSamples: samples.count)
        let target = targetDelay
        let excess = delay + length - max(target, min(neededDelay, configuration.longestDelay))
        let shortage = target - delay - length
        let isSilent = stretch.isSilent(samples)
        if excess > length + configuration.frame / 2, isSilent, packets.count > 0 {
            statistics.shortened += samples.count * OpusPacket.clock.hertz / decoder.rate.hertz
            return []
        }
        // In silence nobody hears it; in speech it has to be worth it.
        let tolerance = isSilent ? configuration.frame / 2 : configuration.frame
        guard excess > tolerance || shortage > tolerance / 2 else { return samples }
        let changed = excess > tolerance ? stretch.shortened(samples) : stretch.lengthened(samples)
        let difference = (samples.count - changed.count) * OpusPacket.clock.hertz / decoder.rate.hertz
        statistics.shortened += max(0, difference)
        statistics.lengthened += max(0, -difference)
        return changed
    }

    private static func duration(_ samples: Int) -> Duration { OpusPacket.clock.duration(ofSamples: samples) }
}
