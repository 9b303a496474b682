#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif
package import NIOCore
internal import NIOWebSocket
package import VoiceCore

/// One person's WebSocket, from the end of the HTTP upgrade to its close.
///
/// The owner sends ``ConnectionSignal`` to the pipeline, waits for ``visitor``, then either accepts or closes.
/// All methods may be called from any task and return at once.
package struct WebSocketConnection: Sendable {
    /// What is spoken on a connection.
    package enum Entrance: Sendable, Equatable {
        /// The page's protocol or a telephone provider's, whichever the first message belongs to.
        case pageOrTelephone
        /// Pipecat's frames, with replies at this rate.
        case pipecat(SampleRate)
    }

    private let wire: WebSocketWire<VisitorDialogue>
    private let inbox: Inbox
    private let entrance: Entrance

    /// Who is there, as far as their first words tell; nil if they went before, or broke the protocol. Never fails.
    package let visitor: EventLoopFuture<Visitor?>

    /// Puts the WebSocket's handlers at the end of the pipeline. To be called on the channel's event loop.
    ///
    /// - Parameters:
    ///   - entrance: what is spoken.
    ///   - about: what a Pipecat client is told of the agent.
    ///   - models: the models' names, for measurements.
    ///   - date: the time of day, for transcripts.
    /// - Throws: an error of the pipeline if the channel has just closed.
    package init(
        on channel: any Channel,
        entrance: Entrance = .pageOrTelephone,
        about: RTVIAbout = RTVIAbout(library: "repartee", version: "0.0.0"),
        models: ModelNames = ModelNames(vad: "", turn: "", asr: "", llm: "", tts: ""),
        limits: WebSocketLimits,
        clock: any SessionClock,
        date: @escaping @Sendable () -> Date = { Date() },
        counters: TransportCounters
    ) throws {
        let promise = channel.eventLoop.makePromise(of: Visitor?.self)
        let inbox = Inbox(limits: limits)
        let browser = BrowserDialogue(inbox: inbox, counters: counters, limits: limits, at: clock.now) { hello in
            promise.succeed(hello.map(Visitor.browser))
        }
        let telephone = CallDialogue(
            TelephonyMachine(limits: limits, at: clock.now),
            inbox: inbox,
            counters: counters,
            limits: limits,
            at: clock.now
        ) { call in promise.succeed(call.map(Visitor.telephone)) }
        var pipecat: VisitorDialogue.Pipecat?
        if case .pipecat(let rate) = entrance {
            pipecat = CallDialogue(
                PipecatMachine(rate: rate, about: about, models: models, date: date, at: clock.now),
                inbox: inbox,
                counters: counters,
                limits: limits,
                at: clock.now
            ) { greeting in promise.succeed(greeting.map { .pipecat }) }
        }
        let dialogue = VisitorDialogue(browser: browser, telephone: telephone, pipecat: pipecat, limits: limits)
        let shared = WebSocketShared(outbox: Outbox(limits: limits), counters: counters, clock: clock)
        self.inbox = inbox
        self.entrance = entrance
        visitor = promise.futureResult
        wire = try WebSocketWire(on: channel, dialogue, limits: limits, shared: shared)
    }

    /// Succeeds when the socket is closed. Never fails.
    package var closed: EventLoopFuture<Void> { wire.closed }

    /// True once either side has begun to close.
    package var isClosing: Bool { wire.isClosing }

    /// Tells the visitor that the conversation begins; it goes on over the transport.
    package func accept(_ visitor: Visitor, _ welcome: Welcome) -> WebSocketTransport {
        // A peer that has just gone is noticed by the end of `events`.
        switch visitor {
        case .browser(let hello):
            try? say(.ready(welcome, playout: hello.playout))
        case .pipecat, .telephone, .webRTC: wire.perform { dialogue, now in dialogue.begin(at: now) }
        }
        return WebSocketTransport(
            connection: self,
            speaksToPage: visitor.isPage,
            playoutRate: visitor.playoutRate ?? entrance.playoutRate,
            playoutLead: visitor.playoutLead,
            executor: wire.executor,
            inbox: inbox
        )
    }

    /// Hands the session an event that did not come from the peer.
    package func deliver(_ event: TransportEvent) { _ = inbox.push(event) }

    /// Closes in an orderly way: what is said already goes out, then the reason, then the close frame.
    package func close(_ reason: CloseReason) { wire.close(reason) }

    /// Sends a message of the agent in the protocol of a Pipecat client or of a telephone provider.
    func send(toCall message: TransportMessage) throws(VoiceError) {
        guard !wire.isClosing else { throw VoiceError(.unavailable, "the peer has gone") }
        if case .cut(let epoch) = message { wire.cut(epoch: epoch) }
        wire.perform { dialogue, now in dialogue.send(message, at: now) }
    }

    /// Begins or ends a rest, in which the socket is read only now and then.
    func rest(_ isResting: Bool) { wire.rest(isResting) }

    /// Sends a message of the agent in the page's protocol.
    func send(toPage message: TransportMessage) throws(VoiceError) {
        switch message {
        case .audio(let frame):
            let audio = OutboundQueue.Audio(epoch: frame.epoch, duration: frame.audio.duration)
            try wire.push(.init(opcode: .binary, payload: BrowserProtocol.encode(frame), audio: audio))
        case .cut(let epoch):
            wire.cut(epoch: epoch)
            try say(.cut(epoch: epoch))
        case .pause(let epoch):
            wire.pause(epoch: epoch)
            try say(.pause(epoch: epoch))
        case .event(let event): if event.isForPages { try say(.event(event)) }
        }
    }

    private func say(_ message: BrowserProtocol.ServerMessage) throws(VoiceError) {
        try wire.push(.init(opcode: .text, payload: try BrowserProtocol.encode(message)))
    }
}

extension WebSocketConnection.Entrance {
    /// The rate of replies, where the visitor does not say.
    fileprivate var playoutRate: SampleRate {
        switch self {
        case .pageOrTelephone: .telephone
        case .pipecat(let rate): rate
        }
    }
}

extension Visitor {
    fileprivate var isPage: Bool { if case .browser = self { true } else { false } }

    /// The rate at which the visitor asked for replies; nil if it did not.
    fileprivate var playoutRate: SampleRate? {
        if case .browser(let hello) = self { hello.playout } else { nil }
    }

    /// How far ahead of the clock the visitor gets sound; nil for as far as the conversation sends it by itself.
    fileprivate var playoutLead: Duration? {
        switch self {
        case .browser: nil
        case .webRTC: WebRTCCall.playoutLead
        // It cannot be told to forget what it has.
        case .pipecat: .milliseconds(40)
        // The provider plays in order, forgets when told to, and says what it has played.
        case .telephone: .milliseconds(100)
        }
    }
}
