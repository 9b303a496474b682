internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import Transports
internal import VoiceCore

/// One accepted connection: HTTP at first, WebSocket if a request asks for it.
struct HTTPConnection: Sendable {
    /// The socket.
    let channel: any Channel
    /// The WebSocket, or nil if the connection closed without one. Never fails.
    let upgraded: EventLoopFuture<WebSocketConnection?>

    /// What all connections of a server share.
    struct Context: Sendable {
        let router: Router
        let limits: WebSocketLimits
        let timing: VoiceServer.Timing
        let clock: any SessionClock
        let counters: TransportCounters
    }

    /// The largest request line and header field, in bytes; all together may be twice that.
    private static let headerLimit = 16 * 1024

    /// Puts the handlers into a fresh channel's pipeline. To be called on the channel's event loop.
    ///
    /// - Parameter refusal: what to answer to every request, if the connection is one too many.
    init(on channel: any Channel, _ shared: Context, refusal: Response?) throws {
        let promise = channel.eventLoop.makePromise(of: WebSocketConnection?.self)
        self.channel = channel
        upgraded = promise.futureResult
        channel.closeFuture.whenComplete { _ in promise.succeed(nil) }

        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Self.headerLimit
        limits.maxHeaderListSize = 2 * Self.headerLimit
        limits.maxHeaderFieldCount = 64
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits),
            maximumBufferSize: 8 * Self.headerLimit
        )
        let handler = HTTPHandler(
            router: shared.router,
            timing: shared.timing,
            clock: shared.clock,
            refusal: refusal
        ) { context, head, handler in
            Self.upgrade(context, head, shared, removing: (decoder, encoder, handler), promise)
        }
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
        _ promise: EventLoopPromise<WebSocketConnection?>
    ) {
        let (decoder, encoder, handler) = handlers
        let channel = context.channel
        // Only for the value of `Sec-WebSocket-Accept`; its own change of the pipeline is not used, because it would not
        // let the refusals of `Router` through.
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
                let connection = try WebSocketConnection(
                    on: channel,
                    limits: shared.limits,
                    clock: shared.clock,
                    counters: shared.counters
                )
                channel.pipeline.syncOperations.removeHandler(handler, promise: nil)
                promise.succeed(connection)
            }
            .whenFailure { _ in channel.close(promise: nil) }
    }
}
