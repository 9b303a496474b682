internal import Synchronization

/// What went wrong on connections since the start: shared by all connections of a server, read by its health page.
package final class TransportCounters: Sendable {
    /// The counts at one moment.
    package struct Snapshot: Sendable, Equatable {
        /// Microphone audio given up because the session did not take it.
        package var microphoneDropped: Duration = .zero
        /// Reply audio given up because the peer did not take it.
        package var playoutDropped: Duration = .zero
        /// Connections closed because the peer broke the protocol (1002, 1003, 1007, 1009).
        package var violations = 0
        /// Connections closed because the peer read too slowly or sent too many messages (1008).
        package var slowPeers = 0
        /// Connections dropped because the peer gave no sign of life.
        package var deadPeers = 0
    }

    private let counts = Mutex(Snapshot())

    /// Makes counters at zero.
    package init() {}

    /// The counts now.
    package var snapshot: Snapshot { counts.withLock { $0 } }

    func note(microphoneDropped duration: Duration) { counts.withLock { $0.microphoneDropped += duration } }

    func note(playoutDropped duration: Duration) { counts.withLock { $0.playoutDropped += duration } }

    func noteDeadPeer() { counts.withLock { $0.deadPeers += 1 } }

    func note(_ reason: CloseReason) {
        counts.withLock { counts in
            switch reason.code {
            case 1002, 1003, 1007, 1009: counts.violations += 1
            case 1008: counts.slowPeers += 1
            default: break
            }
        }
    }
}
