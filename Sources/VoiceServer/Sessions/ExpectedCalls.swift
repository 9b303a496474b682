internal import Synchronization
internal import VoiceCore

/// WebRTC clients whose offers were answered and who have not come yet, by the names of their connections.
final class ExpectedCalls: Sendable {
    /// For how long a client is remembered; none takes so long.
    private static let patience = Duration.seconds(60)

    private let calls = Mutex<[String: (pass: Doorkeeper.Pass, since: Duration)]>([:])

    /// Expects a client.
    func add(_ connection: String, _ pass: Doorkeeper.Pass, at now: Duration) {
        calls.withLock { calls in
            // Whoever never came is forgotten when the next one is expected.
            calls = calls.filter { now - $0.value.since < Self.patience }
            calls[connection] = (pass, now)
        }
    }

    /// The pass of a client that has come.
    func take(_ connection: String) -> Doorkeeper.Pass? {
        calls.withLock { $0.removeValue(forKey: connection)?.pass }
    }
}
