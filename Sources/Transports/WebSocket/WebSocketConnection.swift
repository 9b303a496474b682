package import NIOCore
internal import NIOWebSocket
package import VoiceCore

/// What the event loop's side and the tasks' side of a connection have in common.
struct WebSocketShared: Sendable {
    let inbox: Inbox
    let outbox: Outbox
    let counters: TransportCounters
    let clock: any SessionClock
}

/// One browser's WebSocket, from the end of the HTTP upgrade to its close.
///
/// The owner sends ``ConnectionSignal`` to the pipeline, waits for ``greeting``, then either accepts or closes.
/// All methods may be called from any task and return at once.
package struct WebSocketConnection: Sendable {
    private let channel: any Channel
    private let shared: WebSocketShared
    private let handler: NIOLoopBound<WebSocketHandler>

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
        let shared = WebSocketShared(
            inbox: Inbox(limits: limits),
            outbox: Outbox(limits: limits),
            counters: counters,
            clock: clock
        )
        let handler = WebSocketHandler(shared: shared, limits: limits, greeting: promise)
        self.channel = channel
        self.shared = shared
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        greeting = promise.futureResult
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(WebSocketFrameEncoder())
            try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: limits.messageBytes)))
            try pipeline.addHandler(handler)
        } catch {
            promise.succeed(nil)
            throw error
        }
    }

    /// Succeeds when the socket is closed. Never fails.
    package var closed: EventLoopFuture<Void> { channel.closeFuture }

    /// True once either side has begun to close.
    package var isClosing: Bool { shared.outbox.isClosed }

    /// Answers `hello` with `ready`; the conversation goes on over the transport.
    package func accept(_ hello: BrowserProtocol.Hello, session: String, models: ModelNames) -> WebSocketTransport {
        // A peer that has just gone is noticed by the end of `events`.
        try? say(.ready(session: session, playout: hello.playout, models: models))
        return WebSocketTransport(connection: self, playoutRate: hello.playout, inbox: shared.inbox)
    }

    /// Closes in an orderly way: what is said already goes out, then the reason, then the close frame.
    package func close(_ reason: CloseReason) {
        channel.eventLoop.execute { handler.value.close(reason) }
    }

    func send(_ message: TransportMessage) throws(VoiceError) {
        switch message {
        case .audio(let frame):
            let audio = OutboundQueue.Audio(epoch: frame.epoch, duration: frame.audio.duration)
            try push(.init(opcode: .binary, payload: BrowserProtocol.encode(frame), audio: audio))
        case .cut(let epoch):
            shared.outbox.cut(epoch: epoch)
            try say(.cut(epoch: epoch))
        case .event(let event): try say(.event(event))
        }
    }

    private func say(_ message: BrowserProtocol.ServerMessage) throws(VoiceError) {
        try push(.init(opcode: .text, payload: try BrowserProtocol.encode(message)))
    }

    private func push(_ item: OutboundQueue.Item) throws(VoiceError) {
        switch shared.outbox.push(item, at: shared.clock.now) {
        case .queued(let mustWake, let dropped):
            if dropped > .zero { shared.counters.note(playoutDropped: dropped) }
            if mustWake { channel.eventLoop.execute { handler.value.pump() } }
        case .closed: throw VoiceError(.unavailable, "the page has gone")
        case .full:
            close(.policyViolation("the page reads too slowly"))
            throw VoiceError(.unavailable, "the page reads too slowly and is being disconnected")
        }
    }
}
