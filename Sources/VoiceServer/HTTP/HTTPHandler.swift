internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import VoiceCore

/// Answers the requests of one connection and hands it over when one of them asks for WebSocket. Lives on the
/// channel's event loop.
///
/// A request must be complete within `requestTimeout` of the connection's begin or the end of the last response; one with
/// content that somebody wants within `bodyTimeout`, with pauses no longer than `requestTimeout`. While a response is made
/// or on its way nothing is read, so a client cannot pile up work.
final class HTTPHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum State {
        case waiting
        case receiving(HTTPRequestHead, Answer)
        case collecting(Collection)
        /// A task makes the response.
        case serving(HTTPRequestHead)
        case upgrading
        case closing
    }

    /// A request with content on its way in.
    struct Collection {
        var head: HTTPRequestHead
        var limit: Int
        var tooLarge: Response
        var place: Place
        var end: Duration
        var pieces: [ByteBuffer] = []
        var count = 0
    }

    /// What the handler's owner does for it.
    struct Owner {
        /// Swaps the handlers for those of a WebSocket.
        var upgrade: (ChannelHandlerContext, HTTPRequestHead, Place?, HTTPHandler) -> Void
        /// Hands a whole request to a task.
        var serve: (HTTPExchange) -> Void
    }

    private let router: any RequestRouter
    let timing: HTTPTiming
    let clock: any SessionClock
    /// Set when the server has more connections than it wants: every request is answered by this.
    private let refusal: Response?
    let owner: Owner
    var state = State.waiting
    var deadline: Duration?
    private var responsesInFlight = 0
    private var isReadHeld = false
    private var isStopping = false
    var context: ChannelHandlerContext?

    init(
        router: any RequestRouter,
        timing: HTTPTiming,
        clock: any SessionClock,
        refusal: Response?,
        owner: Owner
    ) {
        self.router = router
        self.timing = timing
        self.clock = clock
        self.refusal = refusal
        self.owner = owner
        deadline = clock.now + timing.requestTimeout
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        // A client that sends anything before it has the answer to its handshake breaks RFC 6455 section 4.1.
        case .upgrading, .closing: return
        case .waiting, .receiving, .collecting, .serving: break
        }
        switch Self.unwrapInboundIn(data) {
        case .head(let head): receive(head, context)
        case .body(let piece): collect(piece, context)
        case .end: finish(context)
        }
    }

    func read(context: ChannelHandlerContext) {
        if case .closing = state { return context.read() }
        if case .serving = state { return isReadHeld = true }
        if responsesInFlight == 0 { context.read() } else { isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? ConnectionSignal {
        case .tick(let now): if let deadline, now >= deadline { context.close(promise: nil) }
        case .stop:
            // The task that serves is cancelled and answers; it gets a moment for that.
            isStopping = true
            if case .serving = state { return closeSoon(context) }
            guard responsesInFlight > 0 else { return context.close(promise: nil) }
            state = .closing
            closeSoon(context)
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .closing: return
        case .upgrading, .serving: return context.close(promise: nil)
        case .waiting, .receiving, .collecting: break
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
        var answer = refusal.map(Answer.respond) ?? router.answer(head)
        // Neither the rest of such a request nor anything after it is of interest (RFC 9110 section 10.1.1 allows a
        // final answer to an expectation; after `Upgrade` and CONNECT the parser stops).
        let isUnreadable =
            !head.headers["transfer-encoding"].isEmpty || !head.headers["expect"].isEmpty || head.method == .CONNECT
            || !head.headers["upgrade"].isEmpty
        if case .respond(let response) = answer, isUnreadable { answer = .respond(response.closing()) }
        switch answer {
        case .respond(let response) where response.closes: respond(response, head, context)
        case .serve(let limit, let tooLarge, let place):
            let end = clock.now + timing.bodyTimeout
            state = .collecting(Collection(head: head, limit: limit, tooLarge: tooLarge, place: place, end: end))
            deadline = min(end, clock.now + timing.requestTimeout)
            // RFC 9110 section 10.1.1
            guard head.headers.first(name: "expect")?.lowercased() == "100-continue" else { return }
            let go = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(Self.wrapOutboundOut(.head(go)), promise: nil)
        default: state = .receiving(head, answer)
        }
    }

    private func collect(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .collecting(var collection) = state else { return }
        collection.count += piece.readableBytes
        guard collection.count <= collection.limit else {
            return respond(collection.tooLarge.closing(), collection.head, context)
        }
        // The array must not be shared while it grows.
        state = .waiting
        collection.pieces.append(piece)
        deadline = min(collection.end, clock.now + timing.requestTimeout)
        state = .collecting(collection)
    }

    private func finish(_ context: ChannelHandlerContext) {
        switch state {
        case .collecting(let request):
            state = .serving(request.head)
            deadline = nil
            owner.serve(
                HTTPExchange(request.head, body: request.pieces, place: request.place, context.channel, self)
            )
        case .receiving(let head, .respond(let response)):
            state = .waiting
            respond(reusable(response, after: head), head, context)
        case .receiving(let head, .upgrade(let place)):
            state = .upgrading
            owner.upgrade(context, head, place, self)
        default: break
        }
    }

    /// True if another request may follow.
    func isReusable(after head: HTTPRequestHead) -> Bool {
        head.isKeepAlive && head.version == .http1_1 && !isStopping
    }

    /// The response, at the end of the connection if the client wants no more of it.
    func reusable(_ response: Response, after head: HTTPRequestHead) -> Response {
        isReusable(after: head) ? response : response.closing()
    }

    func respond(_ response: Response, _ request: HTTPRequestHead?, _ context: ChannelHandlerContext) {
        writeHead(response, context)
        if request?.method != .HEAD, response.body.readableBytes > 0 {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(response.body))), promise: nil)
        }
        writeEnd(context)
    }

    func writeHead(_ response: Response, _ context: ChannelHandlerContext) {
        var headers = response.headers
        if response.closes {
            state = .closing
            headers.replaceOrAdd(name: "Connection", value: "close")
        }
        responsesInFlight += 1
        deadline = clock.now + timing.responseTimeout
        let head = HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    }

    func writeEnd(_ context: ChannelHandlerContext) {
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
