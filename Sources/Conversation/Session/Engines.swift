public import VoiceCore

/// The models of an agent. Shared by all sessions.
public struct Engines: Sendable {
    /// Tells speech from everything else.
    public var voiceActivity: any VoiceActivityDetector
    /// Judges whether a turn is over.
    public var turnDetector: any TurnDetector
    /// Turns speech into text.
    public var recognizer: any SpeechRecognizer
    /// Thinks of an answer.
    public var languageModel: any LanguageModel
    /// Speaks it.
    public var synthesizer: any SpeechSynthesizer

    /// Makes a set of engines.
    public init(
        voiceActivity: any VoiceActivityDetector,
        turnDetector: any TurnDetector,
        recognizer: any SpeechRecognizer,
        languageModel: any LanguageModel,
        synthesizer: any SpeechSynthesizer
    ) {
        self.voiceActivity = voiceActivity
        self.turnDetector = turnDetector
        self.recognizer = recognizer
        self.languageModel = languageModel
        self.synthesizer = synthesizer
    }
}
