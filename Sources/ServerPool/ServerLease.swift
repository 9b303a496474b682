internal import Synchronization
package import VoiceCore

/// The use of one server of a pool. It ends with its last reference.
package final class ServerLease: Sendable {
    /// The server's number in the pool.
    package let server: Int
    private let pool: ServerPool
    private let number: Int
    private let alarmed: LeaseAlarm

    init(_ server: Int, of pool: ServerPool, number: Int, alarm: LeaseAlarm) {
        self.server = server
        self.pool = pool
        self.number = number
        alarmed = alarm
    }

    deinit { pool.giveBack(number) }

    /// Raised when the server was found dead: what runs on it should not be waited for. One waiter.
    package var alarm: Signal { alarmed.signal }

    /// Whether that has happened.
    package var isLost: Bool { alarmed.isRaised }

    /// Says what became of what was asked, or of a part of it.
    package func note(_ verdict: PoolVerdict) { pool.note(verdict, of: server) }
}

/// Tells a lease's holder that its server is dead.
final class LeaseAlarm: Sendable {
    let signal: Signal
    private let wasRaised = Mutex(false)

    init(clock: any SessionClock) { signal = Signal(clock: clock) }

    var isRaised: Bool { wasRaised.withLock { $0 } }

    func raise() {
        wasRaised.withLock { $0 = true }
        signal.raise()
    }
}
