internal import Conversation
internal import Foundation
internal import LanguageModels
internal import SpeechRecognition
internal import SpeechSynthesis
internal import TurnDetection
internal import VoiceCore

/// Loads the engines that the settings name.
struct EngineRoom: Sendable {
    let store: ModelStore
    let settings: Settings

    /// Loads all engines of an agent, side by side.
    ///
    /// - Parameter sessions: conversations that must fit at the same time.
    /// - Throws: the first failure, naming the model and what to do.
    func engines(sessions: Int) async throws(VoiceError) -> Engines {
        // async let cannot carry typed errors.
        do {
            async let voiceActivity = voiceActivity()
            async let turnDetector = turnDetector()
            async let languageModel = languageModel(chats: sessions)
            async let recognizer = recognizer()
            return try await Engines(
                voiceActivity: voiceActivity,
                turnDetector: turnDetector,
                recognizer: recognizer,
                languageModel: languageModel,
                synthesizer: synthesizer()
            )
        } catch {
            throw VoiceError.wrapping(error, doing: "the engines could not be loaded")
        }
    }

    /// The voice activity detector.
    func voiceActivity() async throws(VoiceError) -> SileroDetector {
        try await SileroDetector(path: store.resolve("silero-vad"))
    }

    /// The turn detector.
    func turnDetector(
        threads: Int = min(2, ProcessInfo.processInfo.activeProcessorCount)
    ) async throws(VoiceError) -> SmartTurnDetector {
        try await SmartTurnDetector(path: store.resolve("smart-turn-v3.2"), threads: threads)
    }

    /// The recogniser: on the server that `NVIDIA_ASR_URL` or the settings name, else in process.
    func recognizer(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) -> any SpeechRecognizer {
        if let address = try settings.recognizerAddress(environment: environment) {
            let recognizer = try RemoteRecognizer(address: address)
            try await recognizer.prepare()
            return recognizer
        }
        let recognizer = try PocketSphinxRecognizer()
        try await recognizer.prepare()
        return recognizer
    }

    /// The language model.
    func languageModel(chats: Int) async throws(VoiceError) -> LlamaLanguageModel {
        var configuration = settings.languageModelConfiguration
        configuration.chats = chats
        configuration.name = ModelCatalogue.model(named: settings.languageModel)?.name
        return try await LlamaLanguageModel(path: store.resolve(settings.languageModel), configuration: configuration)
    }

    /// The voice.
    func synthesizer() throws(VoiceError) -> FliteSynthesizer {
        try FliteSynthesizer(voiceNamed: settings.voice)
    }
}
