internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// Executes the actions of a ``WebSocketDialogue`` on a channel. Lives on the channel's event loop.
final class WebSocketHandler<Dialogue: WebSocketDialogue>: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// What happens once our close frame is out.
    private enum AfterClose { case waitForPeer, endOutput, disconnect }

    private let shared: WebSocketShared
    private let limits: WebSocketLimits
    private let dialogue: Dialogue
    private var afterClose = AfterClose.waitForPeer
    private var isClosing = false
    private var closeTimer: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    private var isPumping = false
    private var isReadHeld = false
    private var isResting = false
    /// When the socket is read next in a rest.
    private var nextRead: Scheduled<Void>?

    init(_ dialogue: Dialogue, shared: WebSocketShared, limits: WebSocketLimits) {
        self.dialogue = dialogue
        self.shared = shared
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        perform(dialogue.receive(Self.unwrapInboundIn(data), at: shared.clock.now))
    }

    func read(context: ChannelHandlerContext) {
        // The peer's close frame must be seen once we are closing.
        guard dialogue.isReading || isClosing, !isResting else {
            isReadHeld = true
            return isResting ? planRead(context) : ()
        }
        context.read()
    }

    /// Lets a rest begin or end, in which the socket is read only now and then.
    func rest(_ isResting: Bool) {
        guard isResting != self.isResting, !isClosing || !isResting else { return }
        self.isResting = isResting
        nextRead?.cancel()
        nextRead = nil
        if !isResting { resumeReading() }
    }

    /// Reads at the next of the moments at which all resting connections of an event loop are read: it wakes once for all of them.
    private func planRead(_ context: ChannelHandlerContext) {
        guard nextRead == nil else { return }
        let interval = UInt64(max(1, limits.restInterval.milliseconds * 1e6))
        let moment = (context.eventLoop.now.uptimeNanoseconds / interval + 1) * interval
        nextRead = context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(moment)) { [self] in
            nextRead = nil
            resumeReading()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? ConnectionSignal {
        case .tick(let now):
            if shared.outbox.isStalled(at: now) { close(.stalled) } else { perform(dialogue.tick(at: now)) }
        case .stop: close(.shuttingDown)
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as NIOWebSocketError:
            // The decoder cannot find the next frame, so the peer's close frame would never be seen.
            afterClose = .endOutput
            perform(dialogue.receive(error))
        case is ByteToMessageDecoderError: break  // what still comes after that
        default: context.close(promise: nil)
        }
    }

    /// Has the dialogue say something, and does what comes of it.
    func perform(_ body: (Dialogue, Duration) -> WebSocketAction) { perform(body(dialogue, shared.clock.now)) }

    /// Closes for a reason from outside.
    func close(_ reason: CloseReason) { perform(dialogue.close(reason)) }

    /// Goes on reading if it was held up and need not be any more.
    func resumeReading() {
        guard isReadHeld, dialogue.isReading || isClosing else { return }
        isReadHeld = false
        context?.read()
    }

    /// Writes what waits, as far as the socket takes it.
    func pump() {
        guard let context, !isPumping else { return }
        isPumping = true
        var isFlushNeeded = false
        while let item = shared.outbox.pop() {
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { [self] in written(item.opcode, item.cost) }
            let frame = WebSocketFrame(fin: true, opcode: item.opcode, data: item.payload)
            context.write(Self.wrapOutboundOut(frame), promise: promise)
            isFlushNeeded = true
        }
        isPumping = false
        if isFlushNeeded { context.flush() }
    }

    private func written(_ opcode: WebSocketOpcode, _ cost: Int) {
        shared.outbox.written(cost, at: shared.clock.now)
        guard opcode == .connectionClose else { return pump() }
        switch afterClose {
        case .waitForPeer: break
        case .endOutput: context?.close(mode: .output, promise: nil)
        case .disconnect: context?.close(promise: nil)
        }
    }

    private func perform(_ action: WebSocketAction) {
        switch action {
        case .none: break
        case .say(let payload): send(.init(opcode: .text, payload: payload))
        case .send(let item): send(item)
        case .cut(let epoch): shared.outbox.cut(epoch: epoch)
        case .pause(let epoch): shared.outbox.pause(epoch: epoch)
        case .all(let actions): for action in actions { perform(action) }
        case .pong(let payload): send(.init(opcode: .pong, payload: payload))
        case .ping: send(.init(opcode: .ping, payload: ByteBuffer()))
        case .close(let reason):
            shared.counters.note(reason)
            finish(with: farewell(reason))
        case .answerClose(let code):
            afterClose = .disconnect
            finish(with: [Self.closeFrame(code: code, reason: "")])
        case .disconnect(let isDead):
            if isDead { shared.counters.noteDeadPeer() }
            context?.close(promise: nil)
        }
    }

    private func send(_ item: OutboundQueue.Item) {
        switch shared.outbox.push(item, at: shared.clock.now) {
        case .queued: pump()
        case .closed: break
        case .full: close(.stalled)
        }
    }

    /// The protocol's error message, if there was a failure, and the close frame.
    private func farewell(_ reason: CloseReason) -> [OutboundQueue.Item] {
        let close = Self.closeFrame(code: reason.code, reason: reason.message)
        guard let failure = reason.failure, let error = dialogue.farewell(failure, reason.message) else {
            return [close]
        }
        return [error, close]
    }

    private func finish(with last: [OutboundQueue.Item]) {
        isClosing = true
        isResting = false
        // Whoever hears of the end must find the connection closing.
        shared.outbox.close(with: last, at: shared.clock.now)
        dialogue.end()
        // Not on the session's clock: the server's tasks may be cancelled already when connections say goodbye.
        let timeout = TimeAmount.nanoseconds(Int64(limits.closeTimeout.milliseconds * 1e6))
        closeTimer = context?.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
            context?.close(promise: nil)
        }
        pump()
        resumeReading()
    }

    private func end() {
        shared.outbox.close(with: [], at: shared.clock.now)
        dialogue.end()
        closeTimer?.cancel()
        nextRead?.cancel()
        context = nil
    }

    /// A close frame; the reason is cut to the 123 bytes that fit, between characters.
    private static func closeFrame(code: UInt16?, reason: String) -> OutboundQueue.Item {
        var payload = ByteBuffer()
        if let code {
            payload.writeInteger(code)
            var room = 123
            for character in reason {
                room -= character.utf8.count
                guard room >= 0 else { break }
                payload.writeString(String(character))
            }
        }
        return .init(opcode: .connectionClose, payload: payload)
    }
}
