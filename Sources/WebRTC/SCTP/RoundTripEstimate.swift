/// The retransmission timeout of a path (RFC 9260 section 6.3.1).
struct RoundTripEstimate: Sendable {
    /// How long to wait for an acknowledgement.
    var timeout: Duration { min(estimate * (1 << min(backOffs, 8)), maximum) }
    /// The smoothed round trip; nil before the first measurement.
    private(set) var smoothed: Duration?
    private var estimate: Duration
    private var variation = Duration.zero
    private var backOffs = 0
    private let minimum: Duration
    private let maximum: Duration

    /// Knows nothing of the path.
    init(_ configuration: SCTPConfiguration) {
        estimate = configuration.initialTimeout
        minimum = configuration.minimumTimeout
        maximum = configuration.maximumTimeout
    }

    /// Takes a measured round trip, of something that was sent once only (Karn's rule, C5). RTO.Alpha is 1/8, RTO.Beta 1/4.
    mutating func observe(_ roundTrip: Duration) {
        let roundTrip = max(roundTrip, .zero)
        if let smoothed {
            let difference = smoothed > roundTrip ? smoothed - roundTrip : roundTrip - smoothed
            variation = variation * 3 / 4 + difference / 4
            self.smoothed = smoothed * 7 / 8 + roundTrip / 8
        } else {
            smoothed = roundTrip
            variation = roundTrip / 2
        }
        estimate = max((smoothed ?? roundTrip) + variation * 4, minimum)
        backOffs = 0
    }

    /// Doubles the timeout, because it passed (rule E2 of section 6.3.3).
    mutating func backOff() { backOffs += 1 }

    /// Something was acknowledged, even if no round trip was measured. (The RFC waits for a measurement; Chromium does not.)
    mutating func endBackOff() { backOffs = 0 }
}
