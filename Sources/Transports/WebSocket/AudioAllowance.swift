/// How much audio may come: as much as time passes, and a burst on top, because networks deliver late and all at once.
///
/// A token bucket. Without it one page that sends audio as fast as it can would keep the models from everybody else.
struct AudioAllowance: Sendable {
    /// Sound cards may run a little faster than our clock; no real one is off by a hundredth.
    private static let tolerance = 1.01

    private let burst: Duration
    private var credit: Duration
    private var updated: Duration

    /// Makes a full allowance.
    init(burst: Duration, at now: Duration) {
        self.burst = burst
        credit = burst
        updated = now
    }

    /// Takes `duration` off the allowance; false, taking nothing, if there is not as much.
    mutating func admits(_ duration: Duration, at now: Duration) -> Bool {
        credit = min(burst, credit + (now - updated) * Self.tolerance)
        updated = now
        guard credit >= duration else { return false }
        credit -= duration
        return true
    }
}
