internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import Transports
internal import VoiceCore

/// One accepted connection: HTTP at first, WebSocket if a request asks for it.
struct HTTPConnection<WebSocket: Sendable>: Sendable {
    /// Something for the connection's task.
    enum Arrival: Sendable {
        /// A request to be answered.
        case exchange(HTTPExchange)
        /// What the connection has become, and the place it takes. Nothing comes after it.
        case webSocket(WebSocket, Place?)
    }

    /// The socket.
    let channel: any Channel
    /// What there is to do, one after the other; ends when the connection closes.
    let arrivals: AsyncStream<Arrival>

    /// What all connections of a server share.
    struct Context: Sendable {
        let router: any RequestRouter
        let timing: HTTPTiming
        let clock: any SessionClock
        /// Puts the handlers of the WebSocket that a request asked for into the pipeline. Called on the channel's event loop.
        let makeWebSocket: @Sendable (any Channel, HTTPRequestHead) throws -> WebSocket
    }

    /// The largest request line and header field, in bytes; all together may be twice that.
    private static var headerLimit: Int { 16 * 1024 }

    /// Puts the handlers into a fresh channel's pipeline. To be called on the channel's event loop.
    ///
    /// - Parameter refusal: what to answer to every request, if the connection is one too many.
    init(on channel: any Channel, _ shared: Context, refusal: Response?) throws {
        // The next request is read when the last is answered, so no more than one waits.
        let (arrivals, continuation) = AsyncStream.makeStream(of: Arrival.self, bufferingPolicy: .bufferingOldest(1))
        self.channel = channel
        self.arrivals = arrivals
        channel.closeFuture.whenComplete { _ in continuation.finish() }

        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Self.headerLimit
        limits.maxHeaderListSize = 2 * Self.headerLimit
        limits.maxHeaderFieldCount = 64
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits),
            maximumBufferSize: 8 * Self.headerLimit
        )
        let owner = HTTPHandler.Owner(
            upgrade: { context, head, place, handler in
                let handlers = (decoder, encoder, handler)
                Self.upgrade(context, head, shared, removing: handlers) {
                    continuation.yield(.webSocket($0, place))
                    continuation.finish()
                }
            },
            serve: { continuation.yield(.exchange($0)) }
        )
        let handler = HTTPHandler(
            router: shared.router,
            timing: shared.timing,
            clock: shared.clock,
            refusal: refusal,
            owner: owner
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(encoder)
        try pipeline.addHandler(decoder)
        try pipeline.addHandler(handler)
    }

    private typealias Handlers = (ByteToMessageHandler<HTTPRequestDecoder>, HTTPResponseEncoder, HTTPHandler)

    /// Answers the handshake and swaps the handlers; all of it happens before the loop reads from the socket again.
    private static func upgrade(
        _ context: ChannelHandlerContext,
        _ request: HTTPRequestHead,
        _ shared: Context,
        removing handlers: Handlers,
        _ completion: @escaping (WebSocket) -> Void
    ) {
        let (decoder, encoder, handler) = handlers
        let channel = context.channel
        // Only for the value of `Sec-WebSocket-Accept`; its own change of the pipeline is not used, because it would not
        // let the refusals of a router through.
        let handshake = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
        )
        handshake.buildUpgradeResponse(channel: channel, upgradeRequest: request, initialResponseHeaders: [:])
            .assumeIsolated()
            .flatMap { headers in
                channel.pipeline.syncOperations.removeHandler(decoder).map { headers }
            }
            .flatMap { headers in
                let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
                context.writeAndFlush(HTTPHandler.wrapOutboundOut(.head(head)), promise: nil)
                return channel.pipeline.syncOperations.removeHandler(encoder)
            }
            .flatMapThrowing {
                let webSocket = try shared.makeWebSocket(channel, request)
                channel.pipeline.syncOperations.removeHandler(handler, promise: nil)
                completion(webSocket)
                // Nothing was read while a task decided.
                channel.read()
            }
            .whenFailure { _ in channel.close(promise: nil) }
    }
}
