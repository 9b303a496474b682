internal import NIOCore
internal import NIOHTTP1
internal import NIOWebSocket
internal import Transports
internal import VoiceCore

/// Answers the requests of one connection and hands it over when one of them asks for WebSocket. Lives on the
/// channel's event loop.
///
/// A request must be complete within `requestTimeout` of the connection's begin or the end of the last response. While a
/// response is on its way nothing is read, so a client cannot pile up work.
final class HTTPHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        case receiving(HTTPRequestHead, Router.Answer)
        case upgrading
        case closing
    }

    private let router: Router
    private let timing: VoiceServer.Timing
    private let clock: any SessionClock
    /// Set when the server has more connections than it wants: every request is answered by this.
    private let refusal: Response?
    private let upgrade: (ChannelHandlerContext, HTTPRequestHead, HTTPHandler) -> Void
    private var state = State.waiting
    private var deadline: Duration
    private var responsesInFlight = 0
    private var isReadHeld = false

    init(
        router: Router,
        timing: VoiceServer.Timing,
        clock: any SessionClock,
        refusal: Response?,
        upgrade: @escaping (ChannelHandlerContext, HTTPRequestHead, HTTPHandler) -> Void
    ) {
        self.router = router
        self.timing = timing
        self.clock = clock
        self.refusal = refusal
        self.upgrade = upgrade
        deadline = clock.now + timing.requestTimeout
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        // A client that sends anything before it has the answer to its handshake breaks RFC 6455 section 4.1.
        case .upgrading, .closing: return
        case .waiting, .receiving: break
        }
        switch Self.unwrapInboundIn(data) {
        case .head(let head): receive(head, context)
        case .body: break
        case .end:
            guard case .receiving(let head, let answer) = state else { return }
            finish(head, answer, context)
        }
    }

    func read(context: ChannelHandlerContext) {
        if case .closing = state { return context.read() }
        if responsesInFlight == 0 { context.read() } else { isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? ConnectionSignal {
        case .tick(let now): if now >= deadline { context.close(promise: nil) }
        case .stop:
            guard responsesInFlight > 0 else { return context.close(promise: nil) }
            state = .closing
            closeSoon(context)
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .closing: return
        case .upgrading: return context.close(promise: nil)
        case .waiting, .receiving: break
        }
        switch error {
        case HTTPParserError.headerOverflow:
            respond(
                .line(.requestHeaderFieldsTooLarge, "the request's headers are too large", closes: true),
                nil,
                context
            )
        case is HTTPParserError:
            respond(.line(.badRequest, "this is not a well-formed HTTP request", closes: true), nil, context)
        default: context.close(promise: nil)
        }
    }

    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var answer = refusal.map(Router.Answer.respond) ?? router.answer(head)
        // Neither the rest of such a request nor anything after it is of interest (RFC 9110 section 10.1.1 allows a
        // final answer to an expectation; after `Upgrade` and CONNECT the parser stops).
        let isUnreadable =
            !head.headers["transfer-encoding"].isEmpty || !head.headers["expect"].isEmpty || head.method == .CONNECT
            || !head.headers["upgrade"].isEmpty
        if case .respond(let response) = answer, isUnreadable { answer = .respond(response.closing()) }
        if case .respond(let response) = answer, response.closes { return respond(response, head, context) }
        state = .receiving(head, answer)
    }

    private func finish(_ head: HTTPRequestHead, _ answer: Router.Answer, _ context: ChannelHandlerContext) {
        switch answer {
        case .respond(let response):
            state = .waiting
            respond(head.isKeepAlive && head.version == .http1_1 ? response : response.closing(), head, context)
        case .upgrade:
            state = .upgrading
            upgrade(context, head, self)
        }
    }

    private func respond(_ response: Response, _ request: HTTPRequestHead?, _ context: ChannelHandlerContext) {
        var headers = response.headers
        if response.closes {
            state = .closing
            headers.replaceOrAdd(name: "Connection", value: "close")
        }
        responsesInFlight += 1
        deadline = clock.now + timing.responseTimeout
        let head = HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if request?.method != .HEAD, response.body.readableBytes > 0 {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(response.body))), promise: nil)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenSuccess { [self] in responded(context) }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: sent)
    }

    private func responded(_ context: ChannelHandlerContext) {
        responsesInFlight -= 1
        deadline = clock.now + timing.requestTimeout
        if case .closing = state, responsesInFlight == 0 { return linger(context) }
        guard isReadHeld, responsesInFlight == 0 else { return }
        isReadHeld = false
        context.read()
    }

    /// Says that nothing more comes and gives the client time to read, before unread input would reset the connection
    /// (RFC 9112 section 9.6).
    private func linger(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        closeSoon(context)
        guard isReadHeld else { return }
        isReadHeld = false
        context.read()
    }

    /// Not on the server's clock, which stands when the server stops.
    private func closeSoon(_ context: ChannelHandlerContext) {
        let timeout = TimeAmount.nanoseconds(Int64(timing.lingerTimeout.milliseconds * 1e6))
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
        context.channel.closeFuture.whenComplete { _ in timer.cancel() }
    }
}
