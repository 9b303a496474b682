internal import Foundation
internal import VoiceCore

/// Numbers of a normal distribution with mean 0 and variance 1, the same on every run with the same seed: Box and Muller, "A note on
/// the generation of random normal deviates" (1958).
struct GaussianNoise: Sendable {
    private var source: SplitMix64
    private var spare: Float?

    init(seed: UInt64) { source = SplitMix64(seed: seed) }

    /// The next number.
    mutating func next() -> Float {
        if let value = spare {
            spare = nil
            return value
        }
        // The logarithm's argument is in (0, 1].
        let radius = (-2 * log(1 - source.uniform())).squareRoot()
        let angle = 2 * Double.pi * source.uniform()
        spare = Float(radius * sin(angle))
        return Float(radius * cos(angle))
    }
}
