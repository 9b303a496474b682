package import VoiceCore

/// What comes out: decoded, recovered, made up, stretched.
extension JitterBuffer {
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
}
