/// Decides when a stream's ``SileroState`` is forgotten.
///
/// Long non-speech, music above all, moves the LSTM to where it misses the speech that follows. So about every 2 s of
/// audio the state is cleared, but only when the speaker is quiet and the last windows were clearly not speech, because
/// a reset in or just before speech costs confidence. Counted in windows: where resets fall depends on the audio alone.
///
/// Source: Pipecat 1.14, `audio/vad/silero.py` (policy) and `audio/vad/vad_analyzer.py` (states, without the loudness).
package struct SileroResetPolicy: Sendable, Equatable {
    private enum Speaker { case quiet, starting, speaking, stopping }

    /// Windows between resets: the first count that covers 2 s.
    private let interval: Int
    /// Windows that speech or silence must last to be believed: 0.2 s, rounded.
    private let confirmation: Int
    private var speaker = Speaker.quiet
    private var windowsInTransition = 0
    private var windowsSinceReset = 0
    private var lowWindows = 0

    /// Probability from which a window counts as speech.
    private static let speech: Float = 0.7
    /// Probability below which a window is clearly not speech, and how many of them in a row a reset takes.
    private static let low: Float = 0.1
    private static let lowWindowsNeeded = 5

    /// Makes the policy for windows of this length at this rate.
    package init(windowLength: Int, sampleRate: Int) {
        interval = (2 * sampleRate + windowLength - 1) / windowLength
        confirmation = Int((0.2 * Double(sampleRate) / Double(windowLength)).rounded())
    }

    /// Takes a window's probability.
    /// - Returns: true when the state is to be cleared before the next window.
    package mutating func isResetDue(after probability: Float) -> Bool {
        windowsSinceReset += 1
        lowWindows = probability < Self.low ? lowWindows + 1 : 0
        let isDue = windowsSinceReset >= interval && speaker == .quiet && lowWindows >= Self.lowWindowsNeeded
        if isDue { windowsSinceReset = 0 }
        advance(isSpeech: probability >= Self.speech)
        return isDue
    }

    private mutating func advance(isSpeech: Bool) {
        switch speaker {
        case .quiet where isSpeech: (speaker, windowsInTransition) = (.starting, 1)
        case .starting where isSpeech: windowsInTransition += 1
        case .starting: (speaker, windowsInTransition) = (.quiet, 0)
        case .speaking where !isSpeech: (speaker, windowsInTransition) = (.stopping, 1)
        case .stopping where isSpeech: (speaker, windowsInTransition) = (.speaking, 0)
        case .stopping: windowsInTransition += 1
        case .quiet, .speaking: break
        }
        guard windowsInTransition >= confirmation else { return }
        (speaker, windowsInTransition) = (speaker == .starting ? .speaking : .quiet, 0)
    }
}
