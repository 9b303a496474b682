internal import Foundation
internal import VoiceCore

/// What a simulation leaves to chance: the same on every run with the same seed.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var generator: SplitMix64

    /// Makes a generator; those of different streams of one seed have nothing to do with each other.
    init(seed: UInt64, stream: Int) {
        var first = SplitMix64(seed: seed)
        generator = SplitMix64(seed: first.next() ^ UInt64(truncatingIfNeeded: stream) &* 0x9e37_79b9_7f4a_7c15)
    }

    mutating func next() -> UInt64 { generator.next() }

    /// A number in [0, 1).
    mutating func uniform() -> Double { generator.uniform() }

    /// True in this share of cases.
    mutating func happens(_ share: Double) -> Bool { uniform() < share }

    /// A whole number of a range, all equally likely.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(uniform() * Double(range.count))
    }

    /// The time until the next event of a Poisson process in which they are `mean` apart.
    mutating func exponential(mean: Duration) -> Duration { mean * -log(1 - uniform()) }
}
