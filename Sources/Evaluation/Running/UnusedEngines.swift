package import Conversation
package import VoiceCore

extension Engines {
    /// Engines of an agent that is only written to: none but the language model does anything.
    package static func writing(with model: any LanguageModel) -> Engines {
        Engines(
            voiceActivity: DeafDetector(),
            turnDetector: UnaskedTurnDetector(),
            recognizer: DeafRecognizer(),
            languageModel: model,
            synthesizer: MuteSynthesizer()
        )
    }
}

/// Hears nothing: nobody speaks.
private struct DeafDetector: VoiceActivityDetector, VoiceActivityStream {
    let name = "none"
    let windowLength = 512

    func openStream() async throws(VoiceError) -> any VoiceActivityStream { self }
    func feed(_ samples: [Float]) async throws(VoiceError) -> [Float] { [] }
    func reset() async throws(VoiceError) {}
}

/// Is never asked, because nobody speaks.
private struct UnaskedTurnDetector: TurnDetector {
    let name = "none"

    func endProbability(ofTurn samples: [Float]) async throws(VoiceError) -> Float { 1 }
}

/// Understands nothing, because nobody speaks.
private struct DeafRecognizer: SpeechRecognizer, RecognizerStream {
    let name = "none"

    func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream { self }
    func feed(_ samples: [Float]) async throws(VoiceError) -> Transcript? { nil }
    func finish(flushing flush: RecognitionFlush) async throws(VoiceError) -> Transcript {
        Transcript(text: "", isFinal: true)
    }
    func reset() async throws(VoiceError) {}
}

/// Says nothing: answers are read.
private struct MuteSynthesizer: SpeechSynthesizer {
    let name = "none"
    let sampleRate = SampleRate.speech

    func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        AsyncThrowingStream { nil }
    }
}
