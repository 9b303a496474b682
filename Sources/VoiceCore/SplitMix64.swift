/// Random numbers that are the same on every run with the same seed: SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable
/// pseudorandom number generators", figure 14).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Makes a generator.
    package init(seed: UInt64) { state = seed }

    /// The next number.
    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// The next number in [0, 1), of 53 bits.
    package mutating func uniform() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}
