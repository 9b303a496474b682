internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import VoiceCore

/// A port in front of a server that cuts connections in the middle of whatever is going on.
enum CuttingProxy {
    /// When connections end: after so many bytes of either direction, different each time.
    final class Knife: Sendable {
        private struct State {
            var random: SplitMix64
            var cuts = 0
            var isSharp = true
        }
        private let state: Mutex<State>
        private let range: ClosedRange<Int>

        init(seed: UInt64, bytes range: ClosedRange<Int>) {
            state = Mutex(State(random: SplitMix64(seed: seed)))
            self.range = range
        }

        /// Connections that were cut.
        var cuts: Int { state.withLock { $0.cuts } }

        /// From now on nothing is cut.
        func rest() { state.withLock { $0.isSharp = false } }

        /// How much a connection may carry.
        func allowance() -> Int { state.withLock { Int.random(in: range, using: &$0.random) } }

        /// Whether a connection that has carried that much ends now.
        func cuts(after carried: Int, of allowance: Int) -> Bool {
            state.withLock { state in
                guard state.isSharp, carried >= allowance else { return false }
                state.cuts += 1
                return true
            }
        }
    }

    /// Runs while `body` runs, which gets the port.
    static func run(to port: Int, with knife: Knife, _ body: (_ port: Int) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { near in
                // Both ends on one event loop: they call each other.
                ClientBootstrap(group: near.eventLoop)
                    .channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: port)
                    .flatMapThrowing { far in
                        let count = Count(allowance: knife.allowance())
                        try near.pipeline.syncOperations.addHandler(Half(other: far, count: count, knife: knife))
                        try far.pipeline.syncOperations.addHandler(Half(other: near, count: count, knife: knife))
                        far.read()
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(server.localAddress?.port ?? 0)
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    private final class Count {
        var carried = 0
        let allowance: Int
        init(allowance: Int) { self.allowance = allowance }
    }

    private final class Half: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let count: Count
        private let knife: Knife

        init(other: any Channel, count: Count, knife: Knife) {
            self.other = other
            self.count = count
            self.knife = knife
        }

        func channelActive(context: ChannelHandlerContext) { context.read() }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Self.unwrapInboundIn(data)
            count.carried += bytes.readableBytes
            if knife.cuts(after: count.carried, of: count.allowance) {
                // What came last is carried on by half.
                other.writeAndFlush(
                    bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes / 2),
                    promise: nil
                )
                other.close(promise: nil)
                context.close(promise: nil)
                return
            }
            other.writeAndFlush(bytes, promise: nil)
            context.read()
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    }
}
