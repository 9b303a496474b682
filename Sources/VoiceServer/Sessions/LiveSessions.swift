internal import Synchronization
internal import VoiceCore

/// The conversations that are being held, for news that concerns all of them.
final class LiveSessions: Sendable {
    private struct State {
        var mailboxes: [Int: @Sendable (TransportEvent) -> Void] = [:]
        /// What everybody was told last.
        var news: TransportEvent?
    }

    private let state = Mutex(State())

    /// Adds a conversation for as long as `body` runs. One that begins after the news is told them as well.
    func with(
        _ ticket: Admission.Ticket,
        deliver: @escaping @Sendable (TransportEvent) -> Void,
        _ body: () async -> Void
    ) async {
        let news = state.withLock { state in
            state.mailboxes[ticket.number] = deliver
            return state.news
        }
        if let news { deliver(news) }
        await body()
        state.withLock { _ = $0.mailboxes.removeValue(forKey: ticket.number) }
    }

    /// Hands an event to every conversation, for good: there is nothing else to tell afterwards.
    func deliver(_ event: TransportEvent) {
        let mailboxes = state.withLock { state in
            state.news = event
            return Array(state.mailboxes.values)
        }
        for deliver in mailboxes { deliver(event) }
    }
}
