package import NIOCore
internal import NIOWebSocket
package import VoiceCore

/// One browser's WebSocket, from the end of the HTTP upgrade to its close.
///
/// The owner sends ``ConnectionSignal`` to the pipeline, waits for ``greeting``, then either accepts or closes.
/// All methods may be called from any task and return at once.
package struct WebSocketConnection: Sendable {
    private let wire: WebSocketWire<BrowserDialogue>
    private let inbox: Inbox

    /// What the page said first; nil if it went before, or broke the protocol. Never fails.
    package let greeting: EventLoopFuture<BrowserProtocol.Hello?>

    /// Puts the WebSocket's handlers at the end of the pipeline. To be called on the channel's event loop.
    ///
    /// - Throws: an error of the pipeline if the channel has just closed.
    package init(
        on channel: any Channel,
        limits: WebSocketLimits,
        clock: any SessionClock,
        counters: TransportCounters
    ) throws {
        let promise = channel.eventLoop.makePromise(of: BrowserProtocol.Hello?.self)
        let inbox = Inbox(limits: limits)
        let dialogue = BrowserDialogue(
            inbox: inbox,
            counters: counters,
            limits: limits,
            greeting: promise,
            at: clock.now
        )
        let shared = WebSocketShared(outbox: Outbox(limits: limits), counters: counters, clock: clock)
        self.inbox = inbox
        greeting = promise.futureResult
        wire = try WebSocketWire(on: channel, dialogue, limits: limits, shared: shared)
    }

    /// Succeeds when the socket is closed. Never fails.
    package var closed: EventLoopFuture<Void> { wire.closed }

    /// True once either side has begun to close.
    package var isClosing: Bool { wire.isClosing }

    /// Answers `hello` with `ready`; the conversation goes on over the transport.
    package func accept(
        _ hello: BrowserProtocol.Hello,
        session: String,
        models: ModelNames,
        advice: String?
    ) -> WebSocketTransport {
        // A peer that has just gone is noticed by the end of `events`.
        try? say(.ready(session: session, playout: hello.playout, models: models, advice: advice))
        return WebSocketTransport(connection: self, playoutRate: hello.playout, inbox: inbox)
    }

    /// Closes in an orderly way: what is said already goes out, then the reason, then the close frame.
    package func close(_ reason: CloseReason) { wire.close(reason) }

    func send(_ message: TransportMessage) throws(VoiceError) {
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
