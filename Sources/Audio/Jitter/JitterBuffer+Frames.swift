package import VoiceCore

/// What comes out: decoded, recovered, made up.
extension JitterBuffer {
    /// The next frame, ``Configuration/frame`` long; nil while it is better to wait, at most until ``nextDue``.
    package mutating func next(at now: Duration) -> AudioFrame? {
        if position == nil, let first = packets.first {
            position = first.start
            expected = first.sequence
            latest = now
            latestDecoded = now
        }
        while ready.count < frameLength {
            guard let samples = decodeNext(at: now) else { return nil }
            if ready.isEmpty { ready = samples } else { ready += samples }
        }
        var samples: [Float] = []
        if ready.count == frameLength {
            swap(&samples, &ready)
        } else {
            samples = Array(ready[..<frameLength])
            ready.removeFirst(frameLength)
        }
        latest = now
        statistics.played += frameLength * OpusPacket.clock.hertz / decoder.rate.hertz
        defer { mediaPosition += frameLength }
        return AudioFrame(samples: samples, rate: decoder.rate, position: mediaPosition)
    }

    /// The next samples: decoded, recovered or made up; none for a packet that is left out, nil while it is better to wait.
    private mutating func decodeNext(at now: Duration) -> [Float]? {
        guard let position else { return nil }
        let isDue = nextDue.map { $0 <= now } ?? false
        guard let next = packets.first else { return isDue ? starve() : nil }
        // What was made up while nothing was there stands for what turns out to be missing.
        let missing = next.start - position
        let filled = min(max(missing, 0), starved)
        // Nothing was lost before the packet.
        let isPause = next.marker || expected == next.sequence
        guard missing <= filled || isPause || isDue else { return nil }
        if filled > 0, isPause {
            statistics.underruns -= 1
            statistics.concealed -= filled
            statistics.paused += filled
        }
        surplus += starved - filled
        starved = 0
        if missing > filled {
            self.position = next.start
            let elapsed = now - latestDecoded - Self.duration(filled)
            return fill(missing - filled, before: next, isPause: isPause, atMost: max(elapsed, Self.leastFilling))
        }
        packets.removeFirst()
        latestDecoded = now
        self.position = next.end
        expected = next.sequence + 1
        guard let samples = try? decoder.decode(next.payload) else {
            statistics.discarded += 1
            return conceal(next.end - next.start)
        }
        concealedInRow = 0
        let length = next.end - next.start
        guard quiet.observe(samples), surplus >= length else { return samples }
        surplus -= length
        statistics.shortened += length
        latest = now
        return []
    }

    /// Fills what is missing before a packet: what that holds of it, and before it silence or something made up. Timestamps that run
    /// ahead of the time make no sound.
    /// - Parameter isPause: true when nothing was lost before the packet.
    private mutating func fill(_ missing: Int, before next: Stored, isPause: Bool, atMost limit: Duration) -> [Float] {
        // Only what came directly before is in the packet, and that was as long as the packet itself (RFC 6716 section 4.2.5).
        let length = next.end - next.start
        let recoverable = !isPause && next.hasCorrection && missing >= length ? length : 0
        let left = min(missing - recoverable, OpusPacket.clock.samples(in: limit))
        let samples = conceal(left)
        if isPause {
            statistics.concealed -= left
            statistics.paused += left
        }
        guard recoverable > 0 else { return samples }
        guard let recovered = try? decoder.recover(recoverable, from: next.payload) else {
            return samples + conceal(recoverable)
        }
        statistics.recovered += 1
        concealedInRow = 0
        return samples + recovered
    }

    /// Nothing is there: makes up the rest of a frame and does not go on, since it may only be late.
    private mutating func starve() -> [Float] {
        if starved == 0 { statistics.underruns += 1 }
        let length = (frameLength - ready.count) * OpusPacket.clock.hertz / decoder.rate.hertz
        starved += length
        return conceal(length)
    }

    /// Makes up so many samples at 48 kHz; after a while, silence.
    private mutating func conceal(_ samples: Int) -> [Float] {
        statistics.concealed += samples
        var made: [Float] = []
        for start in stride(from: 0, to: samples, by: Self.concealment) {
            let part = min(Self.concealment, samples - start)
            concealedInRow += part
            // libopus makes up multiples of 2.5 ms.
            let sound =
                concealedInRow <= Self.longestConcealment && part % 120 == 0 ? try? decoder.conceal(part) : nil
            made += sound ?? [Float](repeating: 0, count: part * decoder.rate.hertz / OpusPacket.clock.hertz)
        }
        return made
    }
}
