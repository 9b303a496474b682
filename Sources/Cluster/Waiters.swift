internal import VoiceCore

/// Who waits for what. A value; what it hands out is finished by its owner, outside of any lock.
struct Waiters: Sendable {
    private var waiters: [UInt64: [ObjectIdentifier: Mailbox<Never>]] = [:]

    /// Adds one that waits.
    mutating func add(_ waiter: Mailbox<Never>, for mark: UInt64) {
        waiters[mark, default: [:]][ObjectIdentifier(waiter)] = waiter
    }

    /// Takes one out that waits no longer.
    mutating func remove(_ waiter: Mailbox<Never>, for mark: UInt64) {
        waiters[mark]?[ObjectIdentifier(waiter)] = nil
        if waiters[mark]?.isEmpty == true { waiters[mark] = nil }
    }

    /// Takes out all that wait for one thing: they are to be finished.
    mutating func take(_ mark: UInt64) -> [Mailbox<Never>] {
        waiters.removeValue(forKey: mark).map { Array($0.values) } ?? []
    }
}
