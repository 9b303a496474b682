internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOWebSocket
internal import Synchronization

/// A speech server on loopback that understands nothing and answers as a script says.
enum ScriptedSpeechServer {
    /// What a client did.
    enum Heard: Sendable, Equatable {
        case connected
        /// 16-bit samples.
        case audio([Int16])
        case text(String)
        case pong
        case gone
    }

    /// What the server does about it.
    enum Reply: Sendable {
        case say(String)
        case sayBinary([UInt8])
        case ping
        case close(UInt16, String)
        /// Without a word.
        case cut
    }

    /// Something that a client did, and what went before.
    struct Moment: Sendable {
        /// The connection's number, from 0.
        var connection: Int
        /// Samples that came since the last hard reset.
        var samples: Int
        var heard: Heard
    }

    typealias Script = @Sendable (Moment) -> [Reply]

    static let ready = #"{"type":"ready"}"#
    static let hardReset = #"{"type":"reset","finalize":true}"#
    static let softReset = #"{"type":"reset","finalize":false}"#

    static func transcript(_ text: String, isFinal: Bool) -> Reply {
        .say(#"{"type": "transcript", "text": "\#(text)", "is_final": \#(isFinal), "finalize": true}"#)
    }

    /// Greets, and says how many samples it has heard.
    static let counting: Script = { moment in
        switch moment.heard {
        case .connected: [.say(ready)]
        case .audio: [transcript("\(moment.samples) samples", isFinal: false)]
        case .text: [transcript("\(moment.samples) samples", isFinal: true)]
        case .pong, .gone: []
        }
    }

    /// Serves while `body` runs, which gets the port and what was heard so far on every connection.
    static func run(
        _ script: @escaping Script = counting,
        initialize: @escaping @Sendable (any Channel) throws -> Void = { _ in },
        _ body: (_ port: Int, _ log: Log) async throws -> Void
    ) async throws {
        let log = Log()
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(head.uri == "/missing" ? nil : [:])
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(script: script, log: log))
                }
            }
        )
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try initialize(channel)
                    let notFound = NotFound()
                    let handler = NIOLoopBound(notFound, eventLoop: channel.eventLoop)
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withServerUpgrade: (
                            upgraders: [upgrader],
                            completionHandler: { context in
                                context.pipeline.syncOperations.removeHandler(handler.value, promise: nil)
                            }
                        )
                    )
                    try channel.pipeline.syncOperations.addHandler(notFound)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(server.localAddress?.port ?? 0, log)
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    /// What was heard on every connection.
    final class Log: Sendable {
        private let heard = Mutex<[[Heard]]>([])

        var connections: [[Heard]] { heard.withLock { $0 } }

        /// The text messages of all connections.
        var texts: [[String]] {
            connections.map { $0.compactMap { if case .text(let text) = $0 { text } else { nil } } }
        }

        fileprivate func connect() -> Int {
            heard.withLock { heard in
                heard.append([])
                return heard.count - 1
            }
        }

        fileprivate func add(_ what: Heard, to connection: Int) { heard.withLock { $0[connection].append(what) } }
    }

    /// Answers what is no WebSocket.
    private final class NotFound: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = Self.unwrapInboundIn(data) else { return }
            let head = HTTPResponseHead(version: .http1_1, status: .notFound, headers: ["Content-Length": "0"])
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame
        typealias OutboundOut = WebSocketFrame

        private let script: Script
        private let log: Log
        private var connection = 0
        private var samples = 0

        init(script: @escaping Script, log: Log) {
            self.script = script
            self.log = log
        }

        func handlerAdded(context: ChannelHandlerContext) {
            connection = log.connect()
            handle(.connected, context)
        }

        func channelInactive(context: ChannelHandlerContext) { handle(.gone, context) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = Self.unwrapInboundIn(data)
            var bytes = frame.unmaskedData
            switch frame.opcode {
            case .binary:
                var audio: [Int16] = []
                while let sample = bytes.readInteger(endianness: .little, as: Int16.self) { audio.append(sample) }
                samples += audio.count
                handle(.audio(audio), context)
            case .text:
                let text = String(buffer: bytes)
                handle(.text(text), context)
                if text == ScriptedSpeechServer.hardReset { samples = 0 }
            case .pong:
                handle(.pong, context)
            default:
                break
            }
        }

        private func handle(_ heard: Heard, _ context: ChannelHandlerContext) {
            log.add(heard, to: connection)
            for reply in script(Moment(connection: connection, samples: samples, heard: heard)) {
                switch reply {
                case .say(let text): send(.text, ByteBuffer(string: text), context)
                case .sayBinary(let bytes): send(.binary, ByteBuffer(bytes: bytes), context)
                case .ping: send(.ping, ByteBuffer(string: "are you there"), context)
                case .close(let code, let reason):
                    var data = ByteBuffer(integer: code)
                    data.writeString(reason)
                    send(.connectionClose, data, context)
                case .cut: context.close(promise: nil)
                }
            }
        }

        private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, _ context: ChannelHandlerContext) {
            let frame = WebSocketFrame(fin: true, opcode: opcode, data: data)
            context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
        }
    }
}
