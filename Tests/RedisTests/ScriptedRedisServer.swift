internal import NIOCore
internal import NIOPosix
internal import Synchronization
internal import VoiceTesting

@testable internal import Redis

/// A server on loopback that answers commands as a script says.
enum ScriptedRedisServer {
    /// What is done with a command.
    enum Answer: Sendable {
        /// These bytes are sent, in pieces of so many.
        case bytes(String, piece: Int = 1 << 20)
        /// Nothing.
        case silence
        /// The connection ends.
        case close
    }

    /// What was asked, on which connection.
    struct Request: Sendable, Equatable {
        var connection: Int
        var words: [String]
    }

    static func run(
        _ script: @escaping @Sendable (Request) -> Answer,
        _ body: (_ port: Int, _ requests: @escaping @Sendable () -> [Request]) async throws -> Void
    ) async throws {
        let log = Log()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = Handler(script: script, log: log, connection: log.connect())
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(server.localAddress?.port ?? 0) { log.all }
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    private final class Log: Sendable {
        private let state = Mutex<(connections: Int, requests: [Request])>((0, []))
        var all: [Request] { state.withLock { $0.requests } }

        func connect() -> Int {
            state.withLock { state in
                state.connections += 1
                return state.connections
            }
        }

        func add(_ request: Request) { state.withLock { $0.requests.append(request) } }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let script: @Sendable (Request) -> Answer
        private let log: Log
        private let connection: Int
        private var decoder = RESPDecoder()

        init(script: @escaping @Sendable (Request) -> Answer, log: Log, connection: Int) {
            self.script = script
            self.log = log
            self.connection = connection
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            decoder.feed(Self.unwrapInboundIn(data))
            while let command = try? decoder.next() {
                let words = (command.elements ?? []).compactMap(\.string)
                let request = Request(connection: connection, words: words)
                log.add(request)
                switch script(request) {
                case .bytes(let text, let piece):
                    let bytes = Array(text.utf8)
                    for start in stride(from: 0, to: bytes.count, by: piece) {
                        let part = ByteBuffer(bytes: bytes[start..<min(start + piece, bytes.count)])
                        context.writeAndFlush(Self.wrapOutboundOut(part), promise: nil)
                    }
                case .silence: break
                case .close: context.close(promise: nil)
                }
            }
        }
    }
}
