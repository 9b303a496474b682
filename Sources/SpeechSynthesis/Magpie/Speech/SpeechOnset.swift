internal import Audio
internal import VoiceCore

/// Takes the silence off the front of a neural voice's sound while it passes, and the click off its end.
///
/// The end keeps its silence: what follows the last word may be the release of a consonant.
struct SpeechOnset {
    /// Sound is what exceeds this, -44 dBFS: well above a codec's noise in silence, quiet enough to keep the onset of an f.
    private static let sound: Float = 200 / 32_768
    /// What is kept before the first sound, for onsets are softer than that.
    private static let leadIn: Duration = .milliseconds(10)

    /// Samples dropped at the front so far: the place of the first one handed out.
    private(set) var dropped = 0
    /// Samples handed out so far.
    private(set) var emitted = 0

    private let rate: SampleRate
    private var hasBegun = false
    /// Before the first sound: the lead-in. After it: what is faded out if nothing follows.
    private var held: [Float] = []

    init(rate: SampleRate) { self.rate = rate }

    /// Takes the next samples and gives those that can be played; none until there is sound.
    mutating func feed(_ samples: [Float]) -> [Float] {
        let isFirst = !hasBegun
        if isFirst {
            let leadIn = rate.samples(in: Self.leadIn)
            let before = held.count
            held += samples
            let found = SpeechEdge.first(in: samples, above: Self.sound).map { before + $0 }
            let drop = max(0, (found ?? held.count) - leadIn)
            held.removeFirst(drop)
            dropped += drop
            guard let found else { return [] }
            hasBegun = true
            GainRamp.apply(to: &held, in: 0..<min(rate.samples(in: GainRamp.usual), found - drop), from: 0, to: 1)
        } else {
            held += samples
        }
        return take(max(0, held.count - rate.samples(in: GainRamp.usual)))
    }

    /// Ends the sound.
    mutating func finish() -> [Float] {
        guard hasBegun else { return [] }
        GainRamp.apply(to: &held, in: 0..<held.count, from: 1, to: 0)
        return take(held.count)
    }

    private mutating func take(_ count: Int) -> [Float] {
        let taken = Array(held.prefix(count))
        held.removeFirst(count)
        emitted += count
        return taken
    }
}
