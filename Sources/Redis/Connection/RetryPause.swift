internal import VoiceCore

/// How long to wait before the next attempt: twice as long each time, and never as long as others wait.
struct RetryPause {
    private static let first = Duration.milliseconds(50)
    private static let longest = Duration.seconds(1)

    private var random: SplitMix64
    private var span = first

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// The pause after one more failure: from half of the span to all of it, so that clients of a server that was away do not
    /// return all at once.
    mutating func next() -> Duration {
        defer { span = min(Self.longest, span * 2) }
        return span * (0.5 + random.uniform() / 2)
    }

    /// Begins anew, after a success.
    mutating func reset() { span = Self.first }
}
