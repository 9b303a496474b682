internal import VoiceCore

/// Finds how much later than the loudspeaker the microphone hears the same: network, buffers and room together.
///
/// A pure value. Generalised cross-correlation with phase transform (Knapp and Carter 1976, "The generalized correlation
/// method for estimation of time delay") over the last second, four times a second at first, later every two seconds; a peak
/// counts when two in a row agree.
package struct EchoDelay: Sendable {
    /// Delays from 0 to half a second are looked for.
    package static let longest = SampleRate.speech.samples(in: .milliseconds(500))
    private static let window = SampleRate.speech.samples(in: .seconds(1))
    private static let hop = SampleRate.speech.samples(in: .milliseconds(250))
    /// After so many looks there are fewer.
    private static let frequentLooks = 12
    private static let laterHop = SampleRate.speech.samples(in: .seconds(2))
    /// Holds a window and all delays without wrapping one onto another: 4⁵ · 5².
    private static let length = 25_600
    /// The least height of a peak, in standard deviations of the correlation; an echo in a room had 14 and more;
    /// the highest of so many values that have nothing to do with each other is about 4.
    private static let prominence: Float = 12
    /// Two peaks that lie so close are the same.
    private static let tolerance = 16
    /// Below this mean power of the loudspeaker there is nothing to be found: -40 dB.
    private static let silence: Float = 1e-4

    /// The delay in samples at 16 kHz; nil while no echo was found.
    package private(set) var samples: Int?
    private var microphone: [Float] = []
    private var loudspeaker: [Float] = []
    private var sinceLast = 0
    private var looks = 0
    private var candidate: Int?
    /// One for all: its tables never change.
    private static let fourier = FourierTransform(length: length)

    /// Makes an estimator that knows nothing.
    package init() {}

    /// Takes what was recorded and what was due at the loudspeaker at the same time, equally many samples.
    package mutating func advance(microphone recorded: [Float], loudspeaker played: [Float]) {
        Self.append(recorded, to: &microphone)
        Self.append(played, to: &loudspeaker)
        sinceLast += recorded.count
        let hop = looks < Self.frequentLooks ? Self.hop : Self.laterHop
        guard sinceLast >= hop, microphone.count >= Self.window / 2 else { return }
        sinceLast = 0
        let (recorded, played) = (microphone.suffix(Self.window), loudspeaker.suffix(Self.window))
        let power = played.reduce(0) { $0 + $1 * $1 } / Float(played.count)
        guard power > Self.silence else { return }
        looks += 1
        let peak = peak(recorded, played)
        if let peak, let candidate, abs(peak - candidate) <= Self.tolerance { samples = peak }
        candidate = peak
    }

    /// Forgets the sound, not what was found: nothing has been due for a while.
    package mutating func rest() {
        if !microphone.isEmpty { (microphone, loudspeaker) = ([], []) }
    }

    /// Keeps at least the last window; old samples go in large steps, so that most calls move nothing.
    private static func append(_ new: [Float], to history: inout [Float]) {
        history += new
        if history.count > 2 * window { history.removeFirst(history.count - window) }
    }

    /// The delay of the highest peak, if it is high enough.
    private func peak(_ microphone: ArraySlice<Float>, _ loudspeaker: ArraySlice<Float>) -> Int? {
        guard let fourier = Self.fourier else { return nil }
        var values = [FourierTransform.Value](repeating: .zero, count: Self.length)
        var scratch = values
        for (index, both) in zip(microphone, loudspeaker).enumerated() {
            values[index].re = SIMD4(both.0, both.1, 0, 0)
        }
        fourier.transform(&values, &scratch)
        for index in values.indices {
            let (re, im) = (values[index].re, values[index].im)
            // The microphone's spectrum times the conjugate of the loudspeaker's, with all magnitudes 1.
            let cross = (re: re[0] * re[1] + im[0] * im[1], im: im[0] * re[1] - re[0] * im[1])
            let magnitude = (cross.re * cross.re + cross.im * cross.im).squareRoot() + .leastNormalMagnitude
            // Conjugated, so that a forward transform goes back.
            values[index].re = SIMD4(cross.re / magnitude, 0, 0, 0)
            values[index].im = SIMD4(-cross.im / magnitude, 0, 0, 0)
        }
        fourier.transform(&values, &scratch)
        let correlation = values.prefix(Self.longest).map { $0.re[0] }
        let power = correlation.reduce(0) { $0 + $1 * $1 } / Float(correlation.count)
        guard let best = correlation.indices.max(by: { correlation[$0] < correlation[$1] }) else { return nil }
        return correlation[best] > Self.prominence * power.squareRoot() ? best : nil
    }
}
