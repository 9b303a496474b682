internal import VoiceCore

/// Whether a conversation rests: for a while neither side has spoken.
///
/// A pure value, in the time of the microphone's stream.
struct Rest {
    /// Longer than the longest wait for a turn to go on, and than most people think before they answer.
    static let beginning = Duration.seconds(3)

    private(set) var isResting = false
    private var quiet = Duration.zero

    /// Takes the next piece of the stream.
    /// - Parameter isQuiet: whether nobody speaks, not even perhaps.
    /// - Returns: whether a rest begins or ends with it.
    mutating func heard(_ duration: Duration, isQuiet: Bool) -> Bool {
        let rested = isResting
        // No more is counted than matters.
        quiet = isQuiet ? min(quiet + duration, Self.beginning) : .zero
        isResting = quiet >= Self.beginning
        return isResting != rested
    }
}
