internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// Answers that a task makes: what ``HTTPExchange`` does on the event loop.
extension HTTPHandler {
    /// Sends a whole response to the request that is being served.
    func answer(with response: Response) {
        guard let context, case .serving(let head) = state else { return }
        state = .waiting
        respond(reusable(response, after: head), head, context)
    }

    /// Switches to WebSocket. What was held up of reading goes on with the new handlers.
    func upgrade() {
        guard let context, case .serving(let head) = state else { return }
        state = .upgrading
        owner.upgrade(context, head, nil, self)
    }

    /// Sends the head of a response to the request that is being served.
    func beginStream(_ response: Response) {
        guard let context, case .serving(let head) = state else { return }
        let response = reusable(response, after: head)
        writeHead(response, context)
        if response.closes { state = .serving(head) }
        context.flush()
        deadline = nil
    }

    /// Sends a piece of the response's content; the client must take it within `responseTimeout`.
    func writePiece(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) {
        guard let context, case .serving = state else { return promise.fail(ChannelError.ioOnClosedChannel) }
        deadline = clock.now + timing.responseTimeout
        promise.futureResult.assumeIsolated().whenSuccess { [self] in deadline = nil }
        context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
    }

    /// Ends the response that is being served in pieces.
    func endStream() {
        guard let context, case .serving(let head) = state else { return }
        deadline = clock.now + timing.responseTimeout
        state = isReusable(after: head) ? .waiting : .closing
        writeEnd(context)
    }
}
