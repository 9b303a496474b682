internal import Conversation
internal import Foundation
internal import Inference
internal import LanguageModels
internal import Logging
internal import SpeechRecognition
internal import SpeechSynthesis
internal import TurnDetection
internal import VoiceCore

/// Loads the engines that the settings name.
struct EngineRoom: Sendable {
    let store: ModelStore
    var settings: Settings
    private let clock: any SessionClock
    /// What all engines on ggml compute on. Voice activity and turn detection are small and have threads of their own.
    let lane: Lane
    /// Looks after engines on several servers. Who keeps the engines runs it.
    let pools: EnginePools

    /// - Parameters:
    ///   - store: where models are.
    ///   - settings: which ones, and how.
    ///   - clock: the one that deadlines of the engines' work are on.
    ///   - trace: takes every quantum.
    ///   - logger: told what servers of engines do.
    init(
        store: ModelStore,
        settings: Settings,
        clock: any SessionClock = SystemClock(),
        trace: TraceFile? = nil,
        logger: Logger = Logger(label: "engines") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.store = store
        self.settings = settings
        pools = EnginePools(logger: logger)
        self.clock = clock
        let name = (try? Device.best())?.name ?? "device"
        lane = Lane(name: name, clock: clock, observer: trace?.observer(of: name))
    }

    /// Loads all engines of an agent, side by side.
    ///
    /// - Parameter sessions: conversations that must fit at the same time.
    /// - Throws: the first failure, naming the model and what to do.
    func engines(sessions: Int) async throws(VoiceError) -> Engines {
        guard settings.engines == .models else { return .scripted(clock: clock) }
        // async let cannot carry typed errors.
        do {
            async let voiceActivity = voiceActivity()
            async let turnDetector = turnDetector()
            // Sub-agents without a model of their own think beside the conversations, one for each.
            let lodgers = settings.subAgents.contains { ($0.url ?? "").isEmpty && ($0.model ?? "").isEmpty }
            async let languageModel = languageModel(chats: min(Self.mostChats, lodgers ? 2 * sessions : sessions))
            async let recognizer = recognizer(streams: sessions)
            async let synthesizer = synthesizer(streams: sessions)
            let engines = try await Engines(
                voiceActivity: voiceActivity,
                turnDetector: turnDetector,
                recognizer: recognizer,
                languageModel: languageModel,
                synthesizer: synthesizer
            )
            // What the recogniser does not offer is said now, not to every session.
            _ = try await engines.recognizer.openStream(settings.conversation.recognition)
            return engines
        } catch {
            throw VoiceError.wrapping(error, doing: "the engines could not be loaded")
        }
    }

    /// The voice activity detector.
    func voiceActivity() async throws(VoiceError) -> SileroDetector {
        try await SileroDetector(path: store.resolve("silero-vad"))
    }

    /// The turn detector. Two processors are for a verdict and a draft at the same time.
    func turnDetector(
        threads: Int = max(1, min(2, ProcessInfo.processInfo.activeProcessorCount / 2))
    ) async throws(VoiceError) -> SmartTurnDetector {
        try await SmartTurnDetector(path: store.resolve("smart-turn-v3.2"), threads: threads)
    }

    /// The recogniser: on the servers that `NVIDIA_ASR_URL` or the settings name, else in process.
    ///
    /// - Parameters:
    ///   - model: a name in the catalogue, a path or `pocketsphinx`, which then goes before the settings; nil for theirs.
    ///   - streams: speakers that must fit at the same time.
    ///   - threads: processor threads; nil for the settings' number.
    func recognizer(
        model: String? = nil,
        streams: Int,
        threads: Int? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) -> any SpeechRecognizer {
        let addresses = try model == nil ? settings.recognizerAddresses(environment: environment) : []
        if !addresses.isEmpty {
            let recognizer = try RemoteRecognizer(addresses, pool: pools.pool("asr", addresses), warn: pools.warn)
            try await recognizer.prepare()
            return recognizer
        }
        let model = model ?? settings.recognizer ?? store.pulledRecognizer ?? Self.pocketSphinx
        guard model != Self.pocketSphinx else {
            let recognizer = try PocketSphinxRecognizer(maximumStreams: max(16, streams))
            try await recognizer.prepare()
            return recognizer
        }
        return try await nemotron(model, streams: streams, threads: threads ?? settings.recognizerThreads)
    }

    /// A streaming FastConformer: NVIDIA's, or the starter.
    private func nemotron(_ model: String, streams: Int, threads: Int?) async throws(VoiceError) -> NemotronRecognizer {
        try await NemotronRecognizer(
            path: store.resolve(model),
            configuration: NemotronRecognizer.Configuration(
                streams: streams,
                lookahead: settings.conversation.recognition.lookahead,
                threads: threads,
                name: ModelCatalogue.model(named: model)?.name,
                lane: lane
            )
        )
    }

    /// PocketSphinx's name. It hears people until a recogniser was pulled, because the starter hears them worse
    /// (docs/performance.md).
    static let pocketSphinx = "pocketsphinx"

    /// The language model: on the servers that `NVIDIA_LLM_URL` or the settings name, else in process.
    func languageModel(
        chats: Int,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) -> any LanguageModel {
        guard let servers = try settings.languageModelServers(environment: environment) else {
            return try await localLanguageModel(chats: chats)
        }
        let fallback = settings.languageModelFallback ?? ""
        let pool = pools.pool(servers.addresses)
        let remote = try await RemoteLanguageModel(
            servers.addresses,
            pool: pool,
            configuration: servers.configuration,
            warn: pools.warn
        )
        guard !fallback.isEmpty else { return remote }
        let local = try await localLanguageModel(fallback, chats: chats)
        // A pool knows without waiting whether any of its servers is there.
        guard pool == nil else { return FallbackLanguageModel(remote, else: local, pause: .zero) }
        return FallbackLanguageModel(remote, else: local)
    }

    /// The most conversations of a language model in process.
    private static let mostChats = 64

    /// A language model in process.
    /// - Parameter model: a name in the catalogue or a path; nil for that of the settings.
    func localLanguageModel(_ model: String? = nil, chats: Int) async throws(VoiceError) -> LlamaLanguageModel {
        guard settings.maxSessions <= Self.mostChats else {
            throw VoiceError(
                .usage,
                "a language model in this process holds at most \(Self.mostChats) conversations, server.max_sessions is \(settings.maxSessions); name a server with language_model.url"
            )
        }
        let model = model ?? settings.languageModel ?? ModelCatalogue.defaultLanguageModel
        var configuration = settings.languageModelConfiguration
        configuration.chats = chats
        configuration.lane = lane
        configuration.warmStart = settings.warmStart.configuration(store)
        configuration.name = ModelCatalogue.model(named: model)?.name
        return try await LlamaLanguageModel(path: store.resolve(model), configuration: configuration)
    }

    /// The voice: on the servers that `NVIDIA_TTS_URL` or the settings name, else in process.
    ///
    /// - Parameter streams: replies that may be spoken at the same time.
    func synthesizer(
        streams: Int,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(VoiceError) -> any SpeechSynthesizer {
        if let voice = try await remoteSynthesizer(named: settings.voice.name, environment: environment) {
            return voice
        }
        return try await localSynthesizer(streams: streams)
    }

    /// A voice on the servers; nil where they are none.
    /// - Parameter name: theirs for it; nil for their own choice.
    func remoteSynthesizer(
        named name: String?,
        environment: [String: String]
    ) async throws(VoiceError) -> RemoteSynthesizer? {
        let addresses = try settings.voiceAddresses(environment: environment)
        guard !addresses.isEmpty else { return nil }
        return try await RemoteSynthesizer.connect(
            to: addresses,
            pool: pools.pool("tts", addresses),
            voice: name,
            warn: pools.warn
        )
    }

    /// The voice in process, whatever server the environment names.
    func localSynthesizer(streams: Int) async throws(VoiceError) -> any SpeechSynthesizer {
        switch try settings.voice.choice(store) {
        case .flite(let voice): FliteSynthesizer(voice: voice)
        case .joe: try await joe()
        case .magpie(let speaker): try await magpie(speaker, streams: streams)
        }
    }

    /// The Piper voice; where nobody asked for it and this processor cannot compute it, flite.
    private func joe() async throws(VoiceError) -> any SpeechSynthesizer {
        do throws(VoiceError) {
            return try await piper(ModelCatalogue.piperJoe)
        } catch {
            guard settings.voice.name == nil, error.code == .unavailable else { throw error }
            return FliteSynthesizer()
        }
    }

    /// A Piper voice.
    /// - Throws: `unavailable` where this processor cannot compute it, or its files are missing.
    func piper(_ model: String) async throws(VoiceError) -> PiperSynthesizer {
        let dictionary = try store.resolve(ModelCatalogue.pronouncingDictionary)
        guard let bytes = FileManager.default.contents(atPath: dictionary) else {
            throw VoiceError(.missingInput, "the pronouncing dictionary \(dictionary) cannot be read")
        }
        let voice = try await PiperVoice(
            path: store.resolve(model),
            configuration: PiperVoice.Configuration(threads: settings.voice.threads, lane: lane)
        )
        let phonemizer = EnglishPhonemizer(
            dictionary: try PronouncingDictionary([UInt8](bytes)),
            lexicon: try settings.voice.readLexicon()
        )
        return PiperSynthesizer(voice: voice, phonemizer: phonemizer)
    }

    private func magpie(_ speaker: String?, streams: Int) async throws(VoiceError) -> MagpieSynthesizer {
        let voice = settings.voice
        let language = try MagpieTokenizer.Language(code: voice.language)
        let files = try MagpieSynthesizer.Files(
            model: store.resolve(voice.model ?? ModelCatalogue.magpie),
            codec: store.resolve(voice.codec),
            pronunciations: language.needsDictionary ? store.resolve(voice.pronunciations) : ""
        )
        let magpie = try await MagpieSynthesizer(
            files: files,
            configuration: MagpieSynthesizer.Configuration(
                streams: streams,
                threads: voice.threads,
                language: language,
                lexicon: voice.readLexicon(),
                lane: lane
            )
        )
        if let speaker { return try magpie.speaking(as: speaker) }
        return (try? magpie.speaking(as: VoiceChoice.magpieSpeaker)) ?? magpie
    }
}
