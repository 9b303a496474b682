internal import VoiceCore

/// A reply on its way into packets: frames of any length in, one packet's samples every 20 ms out, and when each of them will have been
/// heard.
struct OutgoingAudio: Sendable {
    private struct Piece: Sendable {
        var epoch: Int
        /// The position of the first sample in its reply.
        var position: Int
        var samples: ArraySlice<Float>
    }

    private struct Departure: Sendable {
        var time: Duration
        var epoch: Int
        /// The reply's samples that have left by then.
        var samples: Int
    }

    /// Silent packets behind the last one with sound: the codec's delay would swallow its end, and where nothing comes a receiver
    /// goes on with what it heard last.
    private static let tail = 5
    /// How long a reply takes to fall silent when it is cut: without, the codec rings.
    private static let fade = Duration.milliseconds(5)

    private let rate: SampleRate
    private let limit: Duration
    private var pieces = FIFO<Piece>()
    private var waiting = 0
    private var departures = FIFO<Departure>()
    private var tailLeft = 0
    private var grewSinceTake = false
    /// The reply that the last packet was of.
    private var sounding: Int?
    /// The end of a reply that was cut, for the next packet.
    private var fadeOut: [Float] = []

    /// - Parameters:
    ///   - rate: of all samples.
    ///   - limit: how much may wait; more drops the oldest.
    init(rate: SampleRate, limit: Duration) {
        self.rate = rate
        self.limit = limit
    }

    /// True when nothing waits and the silence behind the last sound has left, too.
    var isOver: Bool { waiting == 0 && tailLeft == 0 }

    /// True when so many samples wait.
    func holds(_ count: Int) -> Bool { waiting >= count }

    /// Takes a piece of a reply.
    ///
    /// - Returns: how much older audio was dropped for it.
    mutating func push(_ frame: PlayoutFrame) -> Duration {
        guard !frame.audio.samples.isEmpty else { return .zero }
        pieces.append(
            Piece(epoch: frame.epoch, position: frame.audio.position, samples: frame.audio.samples[...])
        )
        waiting += frame.audio.samples.count
        grewSinceTake = true
        var dropped = 0
        while rate.duration(ofSamples: waiting) > limit, pieces.count > 1, let oldest = pieces.removeFirst() {
            waiting -= oldest.samples.count
            dropped += oldest.samples.count
        }
        return rate.duration(ofSamples: dropped)
    }

    /// Forgets what waits of the replies up to this one, but for a few milliseconds in which it fades. What has left is still heard, and
    /// still told.
    mutating func forget(through epoch: Int) {
        if let first = pieces.first, first.epoch <= epoch, first.epoch == sounding {
            let end = first.samples.prefix(rate.samples(in: Self.fade))
            fadeOut = end.enumerated().map { index, sample in
                sample * (1 - Float(index + 1) / Float(end.count))
            }
        }
        var kept = 0
        pieces.keep { piece in
            guard piece.epoch > epoch else { return false }
            kept += piece.samples.count
            return true
        }
        waiting = kept
    }

    /// The samples of the next packet, nil to send none.
    ///
    /// - Parameters:
    ///   - now: when it leaves, by the reply's pace.
    ///   - delay: how long until what leaves now is heard.
    mutating func take(_ count: Int, at now: Duration, heardAfter delay: Duration) -> (samples: [Float], isFirst: Bool)?
    {
        let isFirst = tailLeft == 0
        // A part of a packet waits once for the rest of it.
        guard waiting >= count || (waiting > 0 && !grewSinceTake) || !fadeOut.isEmpty else {
            grewSinceTake = false
            sounding = nil
            guard tailLeft > 0 else { return nil }
            tailLeft -= 1
            return ([Float](repeating: 0, count: count), false)
        }
        grewSinceTake = false
        sounding = nil
        var samples = Array(fadeOut.prefix(count))
        fadeOut = []
        samples.reserveCapacity(count)
        while samples.count < count, var piece = pieces.removeFirst() {
            let part = piece.samples.prefix(count - samples.count)
            samples += part
            waiting -= part.count
            sounding = piece.epoch
            piece.position += part.count
            piece.samples = piece.samples.dropFirst(part.count)
            depart(piece, at: now + delay)
            if !piece.samples.isEmpty { pieces.prepend(piece) }
        }
        samples += [Float](repeating: 0, count: count - samples.count)
        tailLeft = Self.tail
        return (samples, isFirst)
    }

    /// When the next of what has left will have been heard; nil when all has been.
    var nextHeard: Duration? { departures.first?.time }

    /// What has been heard since the last call: the newest position of each reply.
    mutating func heard(at now: Duration) -> [(epoch: Int, samples: Int)] {
        var heard: [(epoch: Int, samples: Int)] = []
        while let departure = departures.first, departure.time <= now {
            _ = departures.removeFirst()
            if heard.last?.epoch == departure.epoch { heard.removeLast() }
            heard.append((departure.epoch, departure.samples))
        }
        return heard
    }

    private mutating func depart(_ piece: Piece, at time: Duration) {
        departures.append(Departure(time: time, epoch: piece.epoch, samples: piece.position))
    }
}
