/// A sampling rate in hertz.
public struct SampleRate: Sendable, Hashable, CustomStringConvertible {
    /// Samples per second of one channel; positive.
    public let hertz: Int

    /// Makes a rate of `hertz` samples per second.
    public init(_ hertz: Int) {
        precondition(hertz > 0, "a sample rate is positive")
        self.hertz = hertz
    }

    /// 8 kHz, the telephone's rate.
    public static let telephone = SampleRate(8_000)
    /// 16 kHz, the rate at which every model of this package listens.
    public static let speech = SampleRate(16_000)
    /// 48 kHz, the rate of browsers and WebRTC.
    public static let wideband = SampleRate(48_000)

    /// The length of `samples` samples at this rate.
    public func duration(ofSamples samples: Int) -> Duration {
        let (seconds, rest) = samples.quotientAndRemainder(dividingBy: hertz)
        return .seconds(seconds) + .nanoseconds(rest * 1_000_000_000 / hertz)
    }

    /// The number of whole samples that fit into `duration` (towards zero).
    public func samples(in duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(seconds) * hertz + Int(attoseconds / 1_000_000_000) * hertz / 1_000_000_000
    }

    /// For example `16000 Hz`.
    public var description: String { "\(hertz) Hz" }
}
