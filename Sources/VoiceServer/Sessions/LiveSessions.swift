internal import Synchronization
internal import VoiceCore

/// The conversations that are being held, for news that concerns all of them.
final class LiveSessions: Sendable {
    private let mailboxes = Mutex<[Int: @Sendable (TransportEvent) -> Void]>([:])

    /// Adds a conversation for as long as `body` runs.
    func with(
        _ ticket: Admission.Ticket,
        deliver: @escaping @Sendable (TransportEvent) -> Void,
        _ body: () async -> Void
    ) async {
        mailboxes.withLock { $0[ticket.number] = deliver }
        await body()
        mailboxes.withLock { _ = $0.removeValue(forKey: ticket.number) }
    }

    /// Hands an event to every conversation.
    func deliver(_ event: TransportEvent) {
        for deliver in mailboxes.withLock({ Array($0.values) }) { deliver(event) }
    }
}
