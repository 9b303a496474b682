internal import NIOCore
internal import NIOHTTP1

/// Reads the answer of a server that did not agree to a WebSocket.
final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    /// A server that wants to be left alone for longer says nonsense.
    private static let longest = 3600

    private let link: WebSocketLink
    private let generation: Int

    init(link: WebSocketLink, generation: Int) {
        self.link = link
        self.generation = generation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = Self.unwrapInboundIn(data) else { return }
        switch head.status {
        case .serviceUnavailable, .tooManyRequests:
            let seconds = head.headers.first(name: "Retry-After").flatMap { Int($0) }
            let pause = seconds.map { Duration.seconds(min(max(0, $0), Self.longest)) }
            link.refuse(generation, why: "it has no room (\(head.status.code))", retryAfter: pause)
        default:
            let status = head.status.code
            link.fail(generation, why: "it answers \(status), but not with a WebSocket; check its port and path")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.fail(generation, why: "the connection ended")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        link.fail(generation, why: WebSocketLink.words(for: error))
        context.close(promise: nil)
    }
}
