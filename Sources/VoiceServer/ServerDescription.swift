public import Conversation
public import Logging
public import Transports
public import VoiceCore

/// What a server has to offer.
public struct ServerDescription: Sendable, Equatable {
    /// The program's version.
    public var version: String
    /// The models of a conversation.
    public var models: ModelNames
    /// What people should know about the models, and what to do, in one or two sentences; nil for nothing.
    public var advice: String?

    /// Makes a description.
    public init(version: String, models: ModelNames, advice: String? = nil) {
        self.version = version
        self.models = models
        self.advice = advice
    }
}

/// What is known of a conversation when it begins.
public struct SessionInfo: Sendable {
    /// Its name, also told to the page; unique in all likelihood.
    public var id: String
    /// The rate of the microphone audio.
    public var microphone: SampleRate
    /// The rate at which the page wants replies.
    public var playout: SampleRate
    /// A logger that carries `session.id`.
    public var logger: Logger

    /// What was said before, and where what is said now goes; to be given to the conversation.
    public var past: ConversationPast
    /// To be told at the conversation's end what it was like, for `/metrics`.
    public var report: @Sendable (ConversationReport) -> Void

    /// How it came about: `page`, `webrtc`, `pipecat`, or the name of a telephone provider.
    public var kind: String

    init(
        id: String,
        _ visitor: Visitor,
        playout: SampleRate,
        past: ConversationPast,
        report: @escaping @Sendable (ConversationReport) -> Void,
        _ logger: Logger
    ) {
        self.id = id
        self.past = past
        self.report = report
        self.playout = playout
        switch visitor {
        case .browser(let hello):
            kind = "page"
            microphone = hello.microphone
        case .pipecat:
            kind = "pipecat"
            // Each of its frames says its own; most clients send what models want.
            microphone = .speech
        case .webRTC:
            kind = "webrtc"
            microphone = .speech
        case .telephone(let call):
            kind = call.provider.rawValue
            microphone = .telephone
        }
        self.logger = logger
        self.logger[metadataKey: "session.id"] = "\(id)"
    }
}
