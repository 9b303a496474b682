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

extension SessionSlots {
    /// Takes a place that is given back when its last reference goes; nil if there is none.
    func place() -> Place? { take() ? Place(of: self) : nil }
}

/// One of the places of ``SessionSlots``, held until it is released or nobody refers to it any more.
final class Place: Sendable {
    private let slots: SessionSlots
    private let isHeld = Mutex(true)

    fileprivate init(of slots: SessionSlots) { self.slots = slots }

    deinit { release() }

    /// Gives the place back, once.
    func release() {
        let wasHeld = isHeld.withLock { isHeld in
            defer { isHeld = false }
            return isHeld
        }
        if wasHeld { slots.giveBack() }
    }
}
