internal import Synchronization
internal import VoiceCore

/// Finds the moments in which no conversation needs the processor, for what should not be done while one does.
final class QuietMoments: Sendable {
    /// No conversation has news for so long.
    static let length = Duration.seconds(3)

    private let messages = Atomic(0)

    /// Notes that a conversation has something to say, be it that the person speaks. Any task, thousands of times a second.
    func note() { messages.add(1, ordering: .relaxed) }

    /// Does something in each quiet moment that follows others, until the task is cancelled.
    /// - Parameter body: nil for nothing.
    func run(_ clock: any SessionClock, _ body: (@Sendable () -> Void)?) async {
        guard let body else { return }
        var (latest, done) = (0, 0)
        while (try? await clock.sleep(until: clock.now + Self.length)) != nil {
            let now = messages.load(ordering: .relaxed)
            if now == latest, now != done {
                body()
                done = now
            }
            latest = now
        }
    }
}
