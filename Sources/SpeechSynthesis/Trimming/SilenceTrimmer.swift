internal import Audio
internal import VoiceCore

/// Takes the silence off both ends of a stream of speech while it passes, and cuts it into chunks.
///
/// flite begins with 160 to 260 ms of silence and ends with about as much; Piper's joe begins with 40 to 55 ms and ends with 110 to
/// 240 (measured on twelve sentences). Here speech begins ``leadIn`` before its first sound, faded in, and ends with the pause asked
/// for. A value: samples in, chunks out.
struct SilenceTrimmer {
    /// Sound is what exceeds this: twice the noise that flite's statistical voices make in silence (below 100 of 32768),
    /// and quiet enough to keep the onset of an f or h.
    static let sound: Float = 200 / 32_768
    /// What is kept before the first sound.
    static let leadIn: Duration = .milliseconds(5)
    /// The longest chunk.
    static let chunk: Duration = .milliseconds(100)

    /// Samples dropped at the front so far: the place of the first one kept, once ``hasBegun``.
    private(set) var dropped = 0
    /// True once sound has been found.
    private(set) var hasBegun = false
    /// Samples handed out so far.
    private(set) var emitted = 0

    private let rate: SampleRate
    private let earliest: Int
    /// Before the beginning: at most `leadIn` of silence. After: what waits to be handed out or dropped.
    private var pending: [Float] = []
    /// The part of `pending` that ends with the last sound and so is sure to be handed out.
    private var certain = 0

    /// - Parameters:
    ///   - rate: the samples' rate.
    ///   - earliest: sound before this sample is taken for a click.
    init(rate: SampleRate, earliest: Int) {
        self.rate = rate
        self.earliest = earliest
    }

    /// Takes the next samples.
    /// - Returns: the chunks that are complete; the first one as soon as there is any sound.
    mutating func feed(_ samples: [Float]) -> [[Float]] {
        var isFirst = false
        if !hasBegun {
            guard begin(with: samples) else { return [] }
            isFirst = true
        } else {
            if let last = SpeechEdge.last(in: samples, above: Self.sound) { certain = pending.count + last + 1 }
            pending.append(contentsOf: samples)
        }
        let length = rate.samples(in: Self.chunk)
        var chunks: [[Float]] = []
        while certain >= length || isFirst && certain > 0 {
            isFirst = false
            chunks.append(take(min(length, certain)))
        }
        return chunks
    }

    /// Ends the speech with `pause` of silence after its last sound.
    /// - Returns: the remaining chunks; none when there was no sound.
    mutating func finish(pause: Duration) -> [[Float]] {
        guard hasBegun else { return [] }
        let end = certain + rate.samples(in: pause)
        let fade = max(certain, min(pending.count, end) - rate.samples(in: GainRamp.usual))
        pending.removeLast(max(0, pending.count - end))
        GainRamp.apply(to: &pending, in: fade..<pending.count, from: 1, to: 0)
        pending.append(contentsOf: repeatElement(0, count: end - pending.count))
        var chunks: [[Float]] = []
        while !pending.isEmpty { chunks.append(take(min(pending.count, rate.samples(in: Self.chunk)))) }
        return chunks
    }

    /// Looks for the first sound; what comes well before it is dropped.
    private mutating func begin(with samples: [Float]) -> Bool {
        let leadIn = rate.samples(in: Self.leadIn)
        let seen = dropped + pending.count
        pending.append(contentsOf: samples)
        let from = max(0, min(samples.count, earliest - seen))
        guard let sound = SpeechEdge.first(in: Array(samples[from...]), above: Self.sound) else {
            drop(max(0, pending.count - leadIn))
            return false
        }
        let onset = pending.count - samples.count + from + sound
        drop(max(0, onset - leadIn))
        hasBegun = true
        GainRamp.apply(to: &pending, in: 0..<min(leadIn, onset), from: 0, to: 1)
        certain = (SpeechEdge.last(in: pending, above: Self.sound) ?? 0) + 1
        return true
    }

    private mutating func drop(_ count: Int) {
        pending.removeFirst(count)
        dropped += count
    }

    private mutating func take(_ count: Int) -> [Float] {
        let chunk = Array(pending.prefix(count))
        pending.removeFirst(count)
        certain = max(0, certain - count)
        emitted += count
        return chunk
    }
}
