internal import Foundation

/// Random numbers that are the same on every run with the same seed: SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable
/// pseudorandom number generators", figure 14).
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Makes a generator; those of different streams of one seed have nothing to do with each other.
    init(seed: UInt64, stream: Int) {
        state = seed
        let first = next()
        state = first ^ UInt64(truncatingIfNeeded: stream) &* 0x9e37_79b9_7f4a_7c15
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number in [0, 1).
    mutating func uniform() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    /// True in this share of cases.
    mutating func happens(_ share: Double) -> Bool { uniform() < share }

    /// A whole number of a range, all equally likely.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(uniform() * Double(range.count))
    }

    /// The time until the next event of a Poisson process in which they are `mean` apart.
    mutating func exponential(mean: Duration) -> Duration { mean * -log(1 - uniform()) }
}
