internal import Synchronization
internal import VoiceCore

/// WebRTC clients whose offers were answered and who have not come yet, by the names of their connections.
final class ExpectedCalls: Sendable {
    private let calls = Mutex<[String: (pass: Doorkeeper.Pass, end: Duration)]>([:])

    /// Expects a client until `end`.
    func add(_ connection: String, _ pass: Doorkeeper.Pass, until end: Duration, at now: Duration) {
        calls.withLock { calls in
            // Whoever never came is forgotten when the next one does.
            calls = calls.filter { now < $0.value.end }
            calls[connection] = (pass, end)
        }
    }

    /// The pass of a client that has come.
    func take(_ connection: String) -> Doorkeeper.Pass? {
        calls.withLock { $0.removeValue(forKey: connection)?.pass }
    }
}
