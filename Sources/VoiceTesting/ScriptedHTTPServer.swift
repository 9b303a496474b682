internal import NIOCore
package import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// A web server on loopback that answers as a script says.
package enum ScriptedHTTPServer {
    /// What was asked.
    package struct Request: Sendable {
        /// The request's method.
        package var method: HTTPMethod
        /// The request's target.
        package var uri: String
        /// Its headers.
        package var headers: HTTPHeaders
        /// Its content.
        package var body: [UInt8] = []
    }

    /// How an answer ends.
    package enum Ending: Sendable {
        /// As HTTP has it.
        case complete
        /// The connection is closed, whatever is missing.
        case cut
        /// Nothing more comes, and the connection stays.
        case stalled
    }

    /// What is answered.
    package struct Answer: Sendable {
        /// The status.
        package var status: HTTPResponseStatus
        /// The headers.
        package var headers: HTTPHeaders
        /// The content.
        package var body: [UInt8]
        /// How it ends.
        package var ending: Ending
        /// The body is sent in pieces of so many bytes, each by itself.
        package var piece: Int

        /// Makes an answer.
        package init(
            status: HTTPResponseStatus = .ok,
            headers: HTTPHeaders = [:],
            body: [UInt8] = [],
            ending: Ending = .complete,
            piece: Int = 1 << 20
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.ending = ending
            self.piece = piece
        }
    }

    /// Serves while `body` runs, which gets the port and what was asked so far.
    package static func run(
        _ script: @escaping @Sendable (Request, Int) -> Answer,
        _ body: (_ port: Int, _ requests: @escaping @Sendable () -> [Request]) async throws -> Void
    ) async throws {
        let log = Log()
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                log.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(script: script, log: log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        // A connection that outlived its server would answer for the next one on its port.
        func end() async throws {
            for channel in log.channels { channel.close(promise: nil) }
            try await server.close()
        }
        do {
            try await body(server.localAddress?.port ?? 0) { log.all }
        } catch {
            try await end()
            throw error
        }
        try await end()
    }

    private final class Log: Sendable {
        private let requests = Mutex<[Request]>([])
        private let accepted = Mutex<[any Channel]>([])
        var all: [Request] { requests.withLock { $0 } }
        var channels: [any Channel] { accepted.withLock { $0 } }

        func add(_ channel: any Channel) { accepted.withLock { $0.append(channel) } }

        /// - Returns: how many came before.
        func add(_ request: Request) -> Int {
            requests.withLock { requests in
                requests.append(request)
                return requests.count - 1
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let script: @Sendable (Request, Int) -> Answer
        private let log: Log
        private var request: Request?

        init(script: @escaping @Sendable (Request, Int) -> Answer, log: Log) {
            self.script = script
            self.log = log
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head): request = Request(method: head.method, uri: head.uri, headers: head.headers)
            case .body(let bytes): request?.body += Array(bytes.readableBytesView)
            case .end:
                guard let request else { return }
                answer(context, script(request, log.add(request)))
            }
        }

        private func answer(_ context: ChannelHandlerContext, _ answer: Answer) {
            let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: answer.headers)
            context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
            let written = context.eventLoop.makePromise(of: Void.self)
            for start in stride(from: 0, to: answer.body.count, by: answer.piece) {
                let end = min(answer.body.count, start + answer.piece)
                let bytes = ByteBuffer(bytes: answer.body[start..<end])
                let promise = end == answer.body.count ? written : nil
                context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
            }
            if answer.body.isEmpty { written.succeed() }
            switch answer.ending {
            case .complete: context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            case .cut:
                // A client that learns of the end first may never look at what came before it.
                written.futureResult.whenComplete { [channel = context.channel] _ in
                    channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
                }
            case .stalled: break
            }
        }
    }
}
