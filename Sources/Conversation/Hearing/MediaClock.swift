package import VoiceCore

/// Maps positions of the microphone's stream to the session's clock.
///
/// A frame cannot arrive before its last sample was recorded, so the earliest arrival seen is the best estimate of the
/// stream's start; it may drift slowly later, because two crystals never agree (100 ppm covers consumer hardware).
package struct MediaClock: Sendable {
    private static let drift = 0.0001
    private let rate: SampleRate
    private var start: Duration?
    private var lastEnd = 0

    /// Makes a map for positions at `rate`.
    package init(rate: SampleRate) { self.rate = rate }

    /// Learns that everything before position `end` has arrived at `now`.
    package mutating func arrived(end: Int, at now: Duration) {
        let candidate = now - rate.duration(ofSamples: end)
        let elapsed = rate.duration(ofSamples: max(0, end - lastEnd))
        lastEnd = end
        guard let start else {
            start = candidate
            return
        }
        self.start = min(candidate, start + elapsed * Self.drift)
    }

    /// When the sample at `position` was recorded.
    package func time(ofPosition position: Int) -> Duration {
        (start ?? .zero) + rate.duration(ofSamples: position)
    }
}
