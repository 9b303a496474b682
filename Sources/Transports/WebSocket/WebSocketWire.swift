internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// What the event loop's side and the tasks' side of a connection have in common.
struct WebSocketShared: Sendable {
    let outbox: Outbox
    let counters: TransportCounters
    let clock: any SessionClock
}

/// The tasks' side of a WebSocket. All methods may be called from any task and return at once.
struct WebSocketWire<Dialogue: WebSocketDialogue>: Sendable {
    private let channel: any Channel
    private let shared: WebSocketShared
    private let handler: NIOLoopBound<WebSocketHandler<Dialogue>>

    /// Puts the WebSocket's handlers at the end of the pipeline. To be called on the channel's event loop.
    ///
    /// - Throws: an error of the pipeline if the channel has just closed; the dialogue has then heard its end.
    init(on channel: any Channel, _ dialogue: Dialogue, limits: WebSocketLimits, shared: WebSocketShared) throws {
        let handler = WebSocketHandler(dialogue, shared: shared, limits: limits)
        self.channel = channel
        self.shared = shared
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(WebSocketFrameEncoder())
            try pipeline.addHandler(ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: limits.messageBytes)))
            try pipeline.addHandler(handler)
        } catch {
            dialogue.end()
            throw error
        }
    }

    /// Runs tasks on the event loop.
    var executor: LoopExecutor { LoopExecutor(channel.eventLoop) }

    /// Succeeds when the socket is closed. Never fails.
    var closed: EventLoopFuture<Void> { channel.closeFuture }

    /// True once either side has begun to close.
    var isClosing: Bool { shared.outbox.isClosed }

    /// Closes in an orderly way: what is said already goes out, then the reason, then the close frame.
    func close(_ reason: CloseReason) {
        channel.eventLoop.execute { [handler] in handler.value.close(reason) }
    }

    /// Goes on reading if it was held up and need not be any more.
    func resumeReading() {
        channel.eventLoop.execute { [handler] in handler.value.resumeReading() }
    }

    /// Begins or ends a rest, in which the socket is read only now and then.
    func rest(_ isResting: Bool) {
        channel.eventLoop.execute { [handler] in handler.value.rest(isResting) }
    }

    /// Forgets the audio of this reply and of every earlier one, and says how much waited.
    @discardableResult
    func cut(epoch: Int) -> Duration { shared.outbox.cut(epoch: epoch) }

    /// Forgets the audio of this reply that waits, and says how much that was; more of it may come.
    @discardableResult
    func pause(epoch: Int) -> Duration { shared.outbox.pause(epoch: epoch) }

    /// Waits until more audio is welcome, the connection closes or the task is cancelled. One task at a time.
    func waitForRoom() async { await shared.outbox.waitForRoom() }

    /// Runs something on the event loop that has the dialogue say something.
    func perform(_ body: @escaping @Sendable (Dialogue, Duration) -> WebSocketAction) {
        channel.eventLoop.execute { [handler] in handler.value.perform(body) }
    }

    /// Queues a frame; it leaves at once if the socket has room.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` once the peer has gone, or when it reads too slowly and is therefore
    ///   disconnected.
    func push(_ item: OutboundQueue.Item) throws(VoiceError) {
        switch shared.outbox.push(item, at: shared.clock.now) {
        case .queued(let mustWake, let dropped):
            if dropped > .zero { shared.counters.note(playoutDropped: dropped) }
            if mustWake { channel.eventLoop.execute { [handler] in handler.value.pump() } }
        case .closed: throw VoiceError(.unavailable, "the peer has gone")
        case .full:
            close(.stalled)
            throw VoiceError(.unavailable, "the peer reads too slowly and is being disconnected")
        }
    }
}
