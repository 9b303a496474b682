internal import VoiceCore

/// Who waits to hear that a claim is no longer good. A value; what it hands out is finished by its owner, outside of any lock.
struct LossWaiters: Sendable {
    private var waiters: [UInt64: [ObjectIdentifier: Mailbox<Never>]] = [:]

    /// Adds one that waits.
    mutating func add(_ waiter: Mailbox<Never>, for claim: UInt64) {
        waiters[claim, default: [:]][ObjectIdentifier(waiter)] = waiter
    }

    /// Takes one out that waits no longer.
    mutating func remove(_ waiter: Mailbox<Never>, for claim: UInt64) {
        waiters[claim]?[ObjectIdentifier(waiter)] = nil
        if waiters[claim]?.isEmpty == true { waiters[claim] = nil }
    }

    /// Takes out all that wait for a claim: they are to be finished.
    mutating func take(_ claim: UInt64) -> [Mailbox<Never>] {
        waiters.removeValue(forKey: claim).map { Array($0.values) } ?? []
    }
}
