internal import VoiceCore

/// Turns the voice activity detector's probabilities into the borders of speech.
///
/// A pure value: probabilities in, edges out. Positions are samples of the 16 kHz microphone stream. The smoothing by
/// counting windows is Pipecat 1.14's (`audio/vad/vad_analyzer.py`); the early `hush` edge is ours.
package struct VoiceActivityGate: Sendable {
    /// When silence becomes speech and speech becomes silence.
    package struct Configuration: Sendable, Equatable {
        /// A window counts as speech from this probability on.
        package var threshold: Float = 0.6
        /// The same while the agent is speaking and may be heard by the microphone.
        package var thresholdWhileSpeaking: Float = 0.7
        /// So much speech in a row starts an utterance.
        package var start: Duration = .milliseconds(96)
        /// The same while the agent is speaking.
        package var startWhileSpeaking: Duration = .milliseconds(96)
        /// After so much silence the end of the turn is judged ahead of time, and the answer drafted. A turn may end from here on. One
        /// window: waiting for a second one costs every answer 32 ms and spares a third of the drafts that are for nothing
        /// (docs/log.md).
        package var hush: Duration = .milliseconds(32)
        /// After so much silence the speaker counts as silent. The detector itself notices silence some 100 ms after the
        /// last sound, so that this is about 250 ms of it.
        package var stop: Duration = .milliseconds(128)

        /// Makes the default configuration.
        package init() {}
    }

    /// A border of speech.
    package enum Edge: Sendable, Equatable {
        /// Something like speech began in the window that starts at `position`; not certain yet.
        case onset(position: Int)
        /// The onset was nothing.
        case falseOnset
        /// It is speech.
        case started
        /// Speech was followed by a first short silence. `lastSpeech` is the end of the last window with speech.
        case hush(lastSpeech: Int)
        /// Speech goes on after a `hush`, in the window that starts at `position`.
        case resumed(position: Int)
        /// Silence, for long enough. `lastSpeech` as in `hush`.
        case stopped(lastSpeech: Int)
    }

    private enum State: Sendable, Equatable { case quiet, starting, speaking, stopping }

    private let configuration: Configuration
    /// Samples of one window at 16 kHz.
    package let windowLength: Int
    private var state = State.quiet
    private var windows = 0
    private var hasHushed = false
    private var position = 0
    private var lastSpeech = 0

    /// Makes a gate for windows of `windowLength` samples at 16 kHz.
    package init(configuration: Configuration, windowLength: Int) {
        self.configuration = configuration
        self.windowLength = windowLength
    }

    /// True while not even an onset was heard.
    package var isQuiet: Bool { state == .quiet }

    /// True from `started` until `stopped`.
    package var isSpeech: Bool { state == .speaking || state == .stopping }

    /// Takes the probability of the next window.
    ///
    /// - Parameter agentIsSpeaking: chooses how much speech starts an utterance.
    /// - Returns: the edges this window completes, usually none.
    package mutating func advance(probability: Float, agentIsSpeaking: Bool) -> [Edge] {
        let begin = position
        position += windowLength
        let threshold = agentIsSpeaking ? configuration.thresholdWhileSpeaking : configuration.threshold
        let isVoiced = probability >= max(threshold, configuration.threshold)
        let silenceBegan = lastSpeech
        if isVoiced { lastSpeech = position }
        switch state {
        case .quiet:
            return quietEdges(isVoiced, begin, agentIsSpeaking)
        case .starting:
            guard isVoiced else {
                state = .quiet
                return [.falseOnset]
            }
            windows += 1
            return confirmStart(agentIsSpeaking)
        case .speaking:
            guard !isVoiced else { return [] }
            state = .stopping
            windows = 1
            hasHushed = false
            return silenceEdges()
        case .stopping:
            if hasHushed, agentIsSpeaking {
                // It is being answered: what comes now is an interruption, with all the certainty that takes.
                state = .quiet
                return [.stopped(lastSpeech: silenceBegan)] + quietEdges(isVoiced, begin, agentIsSpeaking)
            }
            if isVoiced {
                state = .speaking
                return hasHushed ? [.resumed(position: begin)] : []
            }
            windows += 1
            return silenceEdges()
        }
    }

    private mutating func quietEdges(_ isVoiced: Bool, _ begin: Int, _ agentIsSpeaking: Bool) -> [Edge] {
        guard isVoiced else { return [] }
        state = .starting
        windows = 1
        return [.onset(position: begin)] + confirmStart(agentIsSpeaking)
    }

    private mutating func confirmStart(_ agentIsSpeaking: Bool) -> [Edge] {
        let needed = agentIsSpeaking ? configuration.startWhileSpeaking : configuration.start
        guard windows >= count(needed) else { return [] }
        state = .speaking
        return [.started]
    }

    private mutating func silenceEdges() -> [Edge] {
        var edges: [Edge] = []
        if !hasHushed, windows >= count(configuration.hush) {
            hasHushed = true
            edges.append(.hush(lastSpeech: lastSpeech))
        }
        if windows >= count(configuration.stop) {
            state = .quiet
            edges.append(.stopped(lastSpeech: lastSpeech))
        }
        return edges
    }

    /// The number of windows nearest to a duration, at least one.
    private func count(_ duration: Duration) -> Int {
        max(1, (SampleRate.speech.samples(in: duration) + windowLength / 2) / windowLength)
    }
}
