internal import Synchronization
internal import VoiceCore

/// Servers of a pool that are there, but cannot do what somebody wants of them. They are left out for a while: they may be put right.
package final class UnfitServers: Sendable {
    private let pause: Duration
    private let until = Mutex<[Int: Duration]>([:])

    /// Makes a set of none.
    /// - Parameter pause: how long one is left out.
    package init(pause: Duration = .seconds(60)) { self.pause = pause }

    /// Leaves a server out.
    /// - Returns: whether that is news, and worth a warning.
    package func add(_ server: Int, at now: Duration) -> Bool {
        until.withLock { until in
            let isNews = until[server] == nil
            until[server] = now + pause
            return isNews
        }
    }

    /// Takes a server that was put right.
    package func remove(_ server: Int) { until.withLock { $0[server] = nil } }

    /// Those that are left out.
    package func all(at now: Duration) -> Set<Int> {
        until.withLock { until in Set(until.filter { $0.value > now }.keys) }
    }
}
