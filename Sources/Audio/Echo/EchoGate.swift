internal import VoiceCore

/// Tells whether a window of the microphone is louder than what is left of the echo in it.
///
/// A pure value. It learns how much of the loudspeaker's power comes back: quickly when that falls, slowly when it rises,
/// since a person who speaks makes it look larger. What is not well above that is taken for echo.
package struct EchoGate: Sendable {
    /// Before anything was learnt: half the amplitude comes back.
    private static let firstLeak: Float = 0.25
    /// A person must be 8 dB above the expected echo.
    private static let margin: Float = 6
    private static let fall = 0.5
    private static let rise = 5.0
    /// A single loud window cannot make the leak look larger than so many times what it was.
    private static let surprise: Float = 4
    /// Power below this is silence at the loudspeaker: -60 dB.
    private static let silence: Float = 1e-6
    /// So long after its sound an echo may still come.
    private static let memory = Duration.milliseconds(768)

    private let windowLength: Int
    private var played: [Float] = []
    private let remembered: Int
    private var leak = Self.firstLeak

    /// Makes a gate for windows of `windowLength` samples at 16 kHz.
    package init(windowLength: Int) {
        self.windowLength = windowLength
        remembered = max(1, SampleRate.speech.samples(in: Self.memory) / windowLength)
    }

    /// Takes a window, mean powers of both sides.
    ///
    /// - Parameters:
    ///   - microphone: after the echo canceller.
    ///   - loudspeaker: what was due at the same time.
    /// - Returns: whether there is more in the microphone than echo; true while the loudspeaker is silent.
    package mutating func advance(microphone: Float, loudspeaker: Float) -> Bool {
        played.append(loudspeaker)
        if played.count > remembered { played.removeFirst() }
        guard let loudest = played.max(), loudest > Self.silence else { return true }
        let isMore = microphone > Self.margin * leak * loudest
        learn(microphone / loudest)
        return isMore
    }

    private mutating func learn(_ ratio: Float) {
        let seconds = Double(windowLength) / Double(SampleRate.speech.hertz)
        let target = min(ratio, Self.surprise * leak)
        leak += (target - leak) * Float(seconds / (target < leak ? Self.fall : Self.rise))
    }
}
