internal import Synchronization

/// The places for conversations.
final class SessionSlots: Sendable {
    private let state: Mutex<Health.Counts>

    init(limit: Int) { state = Mutex(Health.Counts(maximum: limit)) }

    var counts: Health.Counts { state.withLock { $0 } }

    /// Takes a place; false if there is none.
    func take() -> Bool {
        state.withLock { counts in
            guard counts.active < counts.maximum else {
                counts.refused += 1
                return false
            }
            counts.active += 1
            counts.total += 1
            return true
        }
    }

    /// Gives a place back.
    func giveBack() { state.withLock { $0.active -= 1 } }
}
