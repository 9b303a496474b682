#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
internal import VoiceCore
internal import WebRTC

/// What is said on the data channel of a WebRTC call, as a value: the page's protocol on a channel named `repartee`, RTVI and the signals of
/// Pipecat's SmallWebRTC transport on any other.
///
/// **Feed whatever comes, then do what is returned, in order.** Until a channel is open both protocols keep their latest messages for it.
struct ChannelDialogue: ~Copyable {
    /// What is to be done.
    enum Action: Sendable, Equatable {
        /// Send this text on the channel.
        case say(String)
        /// Something for the conversation.
        case deliver(TransportEvent)
        /// The client is ready: if the conversation waited for that, it may begin.
        case begin
        /// End the call.
        case end(CloseReason)
    }

    private enum Voice {
        case undecided
        case page
        case rtvi
    }

    private var voice = Voice.undecided
    private var page: PageSession
    private var rtvi: RTVISession

    /// - Parameters:
    ///   - about: what RTVI's clients are told of the agent.
    ///   - models: the models' names, for measurements.
    ///   - helloTimeout: how long a page may take until `hello`.
    init(about: RTVIAbout, models: ModelNames, helloTimeout: Duration) {
        page = PageSession(helloTimeout: helloTimeout)
        rtvi = RTVISession(about: about, models: models)
    }

    // MARK: - The client

    /// Learns which channel the client has opened.
    mutating func open(_ channel: DataChannelParameters, at now: Duration) {
        guard channel.label == PageSession.label else { return voice = .rtvi }
        voice = .page
        page.open(at: now)
    }

    /// Learns that the client has closed the channel. Pages do that to go; other clients may open another one.
    func close() -> [Action] { voice == .page ? [.end(.ended)] : [] }

    /// Takes a message of the client. Any message is legal input.
    mutating func receive(_ message: DataChannels.Message, at now: Duration, _ date: Date) -> [Action] {
        switch (voice, message) {
        case (.page, .text(let text)): page.receive(text)
        case (.page, .binary(let bytes)): page.receive(bytes)
        // SmallWebRTC's signals, `ping: 123` every second and which tracks are switched on, are foreign to RTVI and need no answer.
        case (.rtvi, .text(let text)): perform(rtvi.receive(text, at: now, date))
        case (.rtvi, .binary), (.undecided, _): []
        }
    }

    /// Takes the time; to be called a few times a second.
    mutating func tick(at now: Duration) -> [Action] {
        voice == .page ? page.tick(at: now) : perform(rtvi.tick(at: now))
    }

    // MARK: - The agent

    /// Learns that the conversation has begun; `ready` is what a page is told of it.
    mutating func begin(_ ready: BrowserProtocol.ServerMessage) -> [Action] {
        let actions = page.begin(ready)
        return actions + perform(rtvi.begin())
    }

    /// Learns that what the agent was saying is cut off.
    mutating func interrupt() -> [Action] { voice == .page ? [] : perform(rtvi.interrupt()) }

    /// Takes news of the conversation.
    mutating func handle(_ event: SessionEvent, at date: Date) -> [Action] {
        let actions = voice == .rtvi ? [] : page.handle(event)
        return voice == .page ? actions : actions + perform(rtvi.handle(event, at: date))
    }

    /// What is said last, and why the call ends.
    mutating func farewell(_ reason: CloseReason) -> [Action] {
        if voice == .page { return page.farewell(reason) }
        let failure = reason.failure == nil ? [] : perform(rtvi.send(.error(reason.message, isFatal: true)))
        return failure + [.say(#"{"type":"signalling","message":{"type":"peerLeft"}}"#)]
    }

    private mutating func perform(_ actions: [RTVISession.Action]) -> [Action] {
        var performed: [Action] = []
        for action in actions {
            switch action {
            case .say(let text): performed.append(.say(text))
            // Whatever the client asks for shows that it is there.
            case .deliver(let event): performed += [.begin, .deliver(event)]
            // The microphone's track is there for sound.
            case .hear: break
            case .begin: performed.append(.begin)
            case .ask(let id, let type, _):
                performed += perform(rtvi.refuse(id, "Unsupported client message \(type)"))
            case .end: performed.append(.end(.ended))
            }
        }
        return performed
    }
}
