internal import NIOCore
internal import VoiceCore

/// The end of a connection's pipeline: bytes become replies.
final class RedisHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let line: RedisLine
    private var decoder: RESPDecoder

    init(line: RedisLine, decoder: RESPDecoder) {
        self.line = line
        self.decoder = decoder
    }

    func channelActive(context: ChannelHandlerContext) { line.opened(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.feed(Self.unwrapInboundIn(data))
        do {
            while let value = try decoder.next() { line.received(value, on: context.channel) }
        } catch {
            line.fail(context.channel, why: error.message)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { line.fail(context.channel, why: "it closed the connection") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        line.fail(context.channel, why: RedisLine.words(for: error))
    }
}
