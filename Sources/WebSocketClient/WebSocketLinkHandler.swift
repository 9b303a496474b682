internal import NIOCore
internal import NIOWebSocket

/// The end of a socket's pipeline: whole WebSocket messages become events.
final class WebSocketLinkHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    /// IANA's WebSocket Close Code Number Registry: "Try Again Later".
    private static let tryAgainLater: UInt16 = 1013

    private let link: WebSocketLink
    private let generation: Int

    init(link: WebSocketLink, generation: Int) {
        self.link = link
        self.generation = generation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            link.post(.message(String(buffer: frame.unmaskedData)), from: generation)
        case .binary:
            link.post(.binary(Array(buffer: frame.unmaskedData)), from: generation)
        case .ping:
            reply(context, .pong, frame.unmaskedData)
        case .connectionClose:
            // RFC 6455 section 5.5.1: answered with the same.
            var reason = frame.unmaskedData
            reply(context, .connectionClose, reason)
            let code = reason.readInteger(as: UInt16.self)
            let why = "it closed the connection: \(code.map { "\($0) " } ?? "")\(String(buffer: reason).prefix(100))"
            if code == Self.tryAgainLater {
                link.refuse(generation, why: why, retryAfter: nil)
            } else {
                link.fail(generation, why: why)
            }
        default:
            break
        }
    }

    func read(context: ChannelHandlerContext) {
        if link.mayRead(generation) { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        link.post(.writable(context.channel.isWritable), from: generation)
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.fail(generation, why: "the connection ended")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        link.fail(generation, why: WebSocketLink.words(for: error))
        context.close(promise: nil)
    }

    private func reply(_ context: ChannelHandlerContext, _ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }
}
