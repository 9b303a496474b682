internal import VoiceCore

/// Sends audio no faster than so many times as it is played, so that little is on its way when the client cancels.
///
/// A voice may be a thousand times as fast as speech, and what lies in the client's buffers cannot be cut. At four times a client
/// still gathers three seconds in each that it plays. A value.
struct SendingPace: Sendable {
    /// Audio that may go ahead of the pace when nothing was sent for a while.
    private static let burst = Duration.milliseconds(20)

    private let speed: Double
    /// When the next piece is due; nil before the first.
    private var due: Duration?

    /// Makes a pace of so many times real time.
    init(speed: Double) { self.speed = speed }

    /// Takes the next piece of audio.
    /// - Returns: when it may be sent; not after `now` if at once.
    mutating func take(_ duration: Duration, at now: Duration) -> Duration {
        let earliest = now - Self.burst / speed
        let start = max(due ?? earliest, earliest)
        due = start + duration / speed
        return start
    }

    /// Forgets what was sent: nobody hears it.
    mutating func reset() { due = nil }
}
