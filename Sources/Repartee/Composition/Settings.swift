internal import Conversation
internal import LanguageModels
internal import SpeechRecognition
internal import SpeechSynthesis
internal import VoiceCore
internal import VoiceServer
internal import WebSocketClient

/// Everything that a person can set, with defaults that work. `docs/configuration.md` documents each.
struct Settings: Sendable {
    /// Models, or engines for tests; only the command line says so.
    var engines = EngineChoice.models
    /// How the agent behaves.
    var conversation = ConversationConfiguration()
    /// What the agent says when an engine elsewhere keeps people waiting; nil for ``usualFiller`` where engines have others to go on with.
    var filler: String?
    /// Tools behind HTTP addresses.
    var tools: [ToolSettings] = []
    /// Servers with tools.
    var mcpServers: [MCPSettings] = []
    /// Language models that work in the background.
    var subAgents: [SubAgentSettings] = []
    /// Other agents that the conversation can be handed to.
    var agents: [AgentSettings] = []
    /// The names of the tools of the agent that begins; nil for all.
    var agentTools: [String]?
    /// How the ends of turns are found; becomes `conversation.turnTaking.endpointing` when the file was read.
    var endpointing = EndpointSettings()
    /// What the person's voice does to a reply; becomes `conversation.turnTaking.interruption` likewise.
    var interruption = InterruptionSettings()
    /// The name in the catalogue, or the path, of the language model; on a server, its name there. nil for
    /// ``ModelCatalogue/defaultLanguageModel``, and for the server's first.
    var languageModel: String?
    /// The addresses of servers with OpenAI's interface; empty for the language model in process.
    var languageModelURLs: [String] = []
    /// What is said to that server; the model's name there is that of ``languageModel``, where one was given.
    var languageModelKey: String?
    var languageModelPrefills = false
    /// The model in process that answers where the server does not: a name in the catalogue or a path; nil for none.
    var languageModelFallback: String?
    /// How the language model in process is loaded.
    var languageModelConfiguration = LlamaLanguageModel.Configuration()
    /// Whether and where the beginnings of its prompts are kept on disk.
    var warmStart = WarmStartSettings()
    /// The addresses of speech servers; empty for the recogniser in process.
    var recognizerURLs: [String] = []
    /// The recogniser in process: a name in the catalogue, a path, or `pocketsphinx`; nil for one that was pulled,
    /// else PocketSphinx.
    var recognizer: String?
    /// Processor threads of the recogniser; nil for a number that suits the machine.
    var recognizerThreads: Int?
    /// The voice.
    var voice = VoiceSettings()
    /// Where the server listens.
    var host = "127.0.0.1"
    /// The server's port.
    var port = 7860
    /// Conversations at the same time.
    var maxSessions = 4
    /// Web pages of these origins may connect, besides the server's own.
    var allowedOrigins: [String] = []
    /// The address under which people and telephone providers reach the server; empty for the one by which a request came.
    var publicURL = ""
    /// Who may talk to the server, how it ends, which cluster it is a worker of.
    var door = DoorSettings()
    /// Whether people reach the agent by WebRTC at all.
    var servesWebRTC = true
    /// How people reach the agent by WebRTC.
    var webRTC = WebRTCSettings()
    /// TURN and STUN servers that WebRTC clients are told of, with one user name and password for all.
    var iceServers: [String] = []
    var iceUsername = ""
    var iceCredential = ""
    /// The rate of replies to Pipecat clients that do not ask for one, in hertz.
    var pipecatRate = PipecatRate.high
    /// Accounts at telephone providers.
    var telephony = TelephonyAccounts()

    /// The lengths of WebRTC's packets, in milliseconds.
    enum PacketLength: String, CaseIterable, Sendable {
        case short = "10"
        case usual = "20"

        /// The length.
        var duration: Duration { self == .short ? .milliseconds(10) : .milliseconds(20) }
    }

    /// The rates at which Pipecat clients get replies.
    enum PipecatRate: String, CaseIterable, Sendable {
        case low = "16000"
        case high = "24000"

        /// The rate.
        var rate: SampleRate { self == .low ? .speech : SampleRate(24_000) }
    }

    /// ``webRTC`` with the ICE servers, whose password may come from the environment variable `TURN_CREDENTIAL` instead; nil where it is
    /// switched off.
    func webRTCSettings(environment: [String: String]) -> WebRTCSettings? {
        guard servesWebRTC else { return nil }
        var settings = webRTC
        let credential = environment["TURN_CREDENTIAL"].flatMap { $0.isEmpty ? nil : $0 } ?? iceCredential
        func some(_ text: String) -> String? { text.isEmpty ? nil : text }
        if !iceServers.isEmpty {
            settings.iceServers = [.init(urls: iceServers, username: some(iceUsername), credential: some(credential))]
        }
        return settings
    }

    /// ``telephony`` with the secrets of the environment, which go before the settings file. The variables are those that
    /// Pipecat's examples use.
    func telephonyAccounts(environment: [String: String]) -> TelephonyAccounts {
        func secret(_ name: String, _ setting: String?) -> String? {
            guard let value = environment[name], !value.isEmpty else { return setting?.isEmpty == true ? nil : setting }
            return value
        }
        var accounts = telephony
        accounts.twilio.account = secret("TWILIO_ACCOUNT_SID", accounts.twilio.account)
        accounts.twilio.token = secret("TWILIO_AUTH_TOKEN", accounts.twilio.token)
        accounts.telnyx.key = secret("TELNYX_API_KEY", accounts.telnyx.key)
        accounts.telnyx.publicKey = secret("TELNYX_PUBLIC_KEY", accounts.telnyx.publicKey)
        accounts.plivo.account = secret("PLIVO_AUTH_ID", accounts.plivo.account)
        accounts.plivo.token = secret("PLIVO_AUTH_TOKEN", accounts.plivo.token)
        return accounts
    }

    /// What agents say unless told otherwise.
    static let usualFiller = "One moment."

    /// ``conversation`` with what the environment decides.
    func conversation(environment: [String: String]) throws(VoiceError) -> ConversationConfiguration {
        var configuration = conversation
        let counts = [
            try recognizerAddresses(environment: environment).count, try voiceAddresses(environment: environment).count,
            try languageModelServers(environment: environment)?.addresses.count ?? 0,
        ]
        configuration.filler = filler ?? (counts.contains { $0 > 1 } ? Self.usualFiller : "")
        return configuration
    }

    /// Where the language model's servers are and how they are spoken to; nil where the model is in process. The variables
    /// `NVIDIA_LLM_URL`, else `NVIDIA_LLAMA_CPP_URL`, with `NVIDIA_LLM_MODEL` and `NVIDIA_LLM_API_KEY`, those of
    /// pipecat-ai/nemotron-january-2026, go before the settings file.
    /// - Throws: ``VoiceError/Code/usage`` when an address is none.
    func languageModelServers(
        environment: [String: String]
    ) throws(VoiceError) -> (addresses: [CompletionAddress], configuration: RemoteLanguageModel.Configuration)? {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var configuration = RemoteLanguageModel.Configuration(
            model: variable("NVIDIA_LLM_MODEL") ?? languageModel,
            key: variable("NVIDIA_LLM_API_KEY") ?? languageModelKey,
            prefills: languageModelPrefills
        )
        if languageModelConfiguration.contextLength != LlamaLanguageModel.Configuration().contextLength {
            configuration.contextLength = languageModelConfiguration.contextLength
        }
        let addresses = try addresses(
            ["NVIDIA_LLM_URL", "NVIDIA_LLAMA_CPP_URL"],
            environment,
            else: languageModelURLs,
            of: "language_model.url"
        ) { text, place throws(VoiceError) in try CompletionAddress(text, from: place) }
        return addresses.isEmpty ? nil : (addresses, configuration)
    }

    /// The addresses of the speech servers; empty for none. `NVIDIA_ASR_URL`, the variable of pipecat-ai/nemotron-january-2026,
    /// goes before the settings file.
    /// - Throws: ``VoiceError/Code/usage`` when one is not an address.
    func recognizerAddresses(environment: [String: String]) throws(VoiceError) -> [ServerAddress] {
        try addresses(["NVIDIA_ASR_URL"], environment, else: recognizerURLs, of: "recognizer.url") {
            text,
            place throws(VoiceError) in try ServerAddress(text, from: place)
        }
    }

    /// The addresses of the servers that speak; empty for none. `NVIDIA_TTS_URL`, the variable of
    /// pipecat-ai/nemotron-january-2026, goes before the settings file.
    /// - Throws: ``VoiceError/Code/usage`` when one is not an address.
    func voiceAddresses(environment: [String: String]) throws(VoiceError) -> [ServerAddress] {
        try addresses(["NVIDIA_TTS_URL"], environment, else: voice.urls, of: "voice.url") {
            text,
            place throws(VoiceError) in try RemoteSynthesizer.address(text, from: place)
        }
    }

    /// The addresses in the first of these variables that is set, else those of a setting.
    private func addresses<Address: Equatable & CustomStringConvertible>(
        _ variables: [String],
        _ environment: [String: String],
        else urls: [String],
        of setting: String,
        _ read: (String, String) throws(VoiceError) -> Address
    ) throws(VoiceError) -> [Address] {
        for name in variables {
            guard let text = environment[name], !text.isEmpty else { continue }
            return try Addresses.read(Addresses.split(text), from: name, read)
        }
        return try Addresses.read(urls, from: "the setting \(setting)", read)
    }
}
