internal import Synchronization
internal import VoiceCore

/// A recogniser that understands a word in every so many samples of sound, whatever was said.
struct ScriptedHearing: SpeechRecognizer {
    /// Samples of sound to a word: 150 words a minute.
    private static let wordLength = SampleRate.speech.samples(in: .milliseconds(400))
    /// What is louder than this is sound: -36 dBFS.
    private static let threshold: Float = 500 / 32_768
    private static let words = ["could", "you", "please", "tell", "me", "what", "this", "is", "about"]

    let name = "scripted"
    let clock: any SessionClock
    let cost: Duration

    func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream { Stream(self) }

    private final class Stream: RecognizerStream {
        private let recognizer: ScriptedHearing
        /// Samples from the utterance's first sound to its last.
        private let state = Mutex((voiced: 0, told: 0))

        init(_ recognizer: ScriptedHearing) { self.recognizer = recognizer }

        func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? {
            let isSound = samples.contains { abs($0) > ScriptedHearing.threshold }
            return state.withLock { state in
                if isSound { state.voiced += samples.count }
                let count = state.voiced / ScriptedHearing.wordLength
                guard count > state.told else { return nil }
                state.told = count
                return Transcript(text: ScriptedHearing.text(count), isFinal: false)
            }
        }

        func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
            try await recognizer.clock.wait(recognizer.cost)
            let voiced = state.withLock { state in
                defer { state = (0, 0) }
                return state.voiced
            }
            return ScriptedHearing.final(voiced)
        }

        func draft() async throws(VoiceError) -> Transcript? {
            try await recognizer.clock.wait(recognizer.cost)
            return ScriptedHearing.final(state.withLock { $0.voiced })
        }

        func reset() async throws(VoiceError) { state.withLock { $0 = (0, 0) } }
    }

    /// Whoever was heard at all has said a word.
    private static func final(_ voiced: Int) -> Transcript {
        Transcript(text: text(voiced > 0 ? max(1, voiced / wordLength) : 0), isFinal: true)
    }

    private static func text(_ count: Int) -> String {
        (0..<count).map { words[$0 % words.count] }.joined(separator: " ")
    }
}
