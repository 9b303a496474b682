internal import VoiceCore

/// When to try again after a failure that may pass.
///
/// The pauses double, from one second to half a minute. Every byte that arrives starts the count anew; a server that was
/// never reached is given up sooner, because then there is probably no network.
struct Retries {
    /// Attempts in a row without a new byte.
    static let limit = 6
    /// The same while no server has answered at all.
    static let unreachedLimit = 2
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)

    private var failures = 0
    private var wasReached = false

    /// A server has answered.
    mutating func reached() { wasReached = true }

    /// New bytes have arrived.
    mutating func progressed() { failures = 0 }

    /// An attempt failed.
    /// - Parameter wish: the pause that the server asked for.
    /// - Returns: how long to wait before the next attempt; nil to give up.
    mutating func failed(wish: Duration? = nil) -> Duration? {
        failures += 1
        guard failures < (wasReached ? Self.limit : Self.unreachedLimit) else { return nil }
        let pause = min(Self.longestPause, Self.firstPause * (1 << (failures - 1)))
        return max(pause, wish ?? .zero)
    }
}
