internal import NIOCore
internal import NIOPosix
internal import Testing

/// A client that sends any bytes over a loopback socket and reads what comes back. It shares no code with the server's
/// WebSocket: frames are written and read by hand here.
struct RawClient: ~Copyable {
    /// What came over a WebSocket.
    enum Frame: Equatable {
        case text(String)
        case binary([UInt8])
        case ping([UInt8])
        case pong([UInt8])
        case close(UInt16?)
        /// The connection ended.
        case end
    }

    let channel: any Channel
    private let reader: NIOLoopBound<Reader>
    private var received = ByteBuffer()
    private var isAtEnd = false

    /// Connects, runs `body`, disconnects. Nothing is read from the socket but what `body` asks for.
    static func connect(
        to port: Int,
        host: String = "127.0.0.1",
        receiveBuffer: Int? = nil,
        _ body: (inout RawClient) async throws -> Void
    ) async throws {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        let (channel, reader) = try await bootstrap.connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                let reader = Reader()
                try channel.pipeline.syncOperations.addHandler(reader)
                return (channel, NIOLoopBound(reader, eventLoop: channel.eventLoop))
            }
        }
        var client = RawClient(channel: channel, reader: reader)
        do {
            try await body(&client)
        } catch {
            try? await channel.close()
            throw error
        }
        try? await channel.close()
    }

    private init(channel: any Channel, reader: NIOLoopBound<Reader>) {
        self.channel = channel
        self.reader = reader
    }

    func send(_ string: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: string)) }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// The next line without its end; nil at the end of the connection.
    mutating func line() async -> String? {
        var line: [UInt8] = []
        while let byte = await bytes(1)?.first, byte != 10 { line.append(byte) }
        if line.last == 13 { line.removeLast() }
        return line.isEmpty && received.readableBytes == 0 && isAtEnd ? nil : String(decoding: line, as: UTF8.self)
    }

    /// The next `count` bytes; nil if the connection ends before.
    mutating func bytes(_ count: Int) async -> [UInt8]? {
        while received.readableBytes < count {
            guard var more = await read() else {
                isAtEnd = true
                return nil
            }
            received.writeBuffer(&more)
        }
        defer { received.discardReadBytes() }
        return received.readBytes(length: count)
    }

    /// Reads from the socket once; nil at the end.
    private func read() async -> ByteBuffer? {
        let promise = channel.eventLoop.makePromise(of: ByteBuffer?.self)
        channel.eventLoop.execute { [reader] in reader.value.read(promise) }
        return try? await promise.futureResult.get()
    }

    /// True once the server has ended the connection and everything before is read.
    mutating func reachesEnd() async -> Bool { await bytes(1) == nil }
}

/// Reads when it is told to.
private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var context: ChannelHandlerContext?
    private var received = ByteBuffer()
    private var waiting: EventLoopPromise<ByteBuffer?>?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func read(_ promise: EventLoopPromise<ByteBuffer?>) {
        guard let context, context.channel.isActive, received.readableBytes == 0 else { return deliver(to: promise) }
        waiting = promise
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        received.writeBuffer(&bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard received.readableBytes > 0 else { return context.read() }
        deliver(to: waiting)
    }

    func channelInactive(context: ChannelHandlerContext) { deliver(to: waiting) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func deliver(to promise: EventLoopPromise<ByteBuffer?>?) {
        waiting = nil
        promise?.succeed(received.readableBytes > 0 ? received : nil)
        if promise != nil { received = ByteBuffer() }
    }
}

// MARK: - HTTP

extension RawClient {
    struct Reply: Equatable {
        var status: Int
        var headers: [String: String]
        var body: String
    }

    /// Sends a request and reads the reply; `hasBody` is false for HEAD.
    mutating func request(_ request: String, hasBody: Bool = true) async throws -> Reply {
        try await send(request)
        return try await reply(hasBody: hasBody)
    }

    mutating func reply(hasBody: Bool = true) async throws -> Reply {
        let status = try #require(await line())
        var headers: [String: String] = [:]
        while let line = await line(), !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
        }
        let length = hasBody ? Int(headers["content-length"] ?? "0") ?? 0 : 0
        let body = try #require(await bytes(length))
        let number = try #require(Int(status.split(separator: " ")[1]))
        return Reply(status: number, headers: headers, body: String(decoding: body, as: UTF8.self))
    }

    mutating func get(_ path: String, method: String = "GET", headers: String = "") async throws -> Reply {
        try await request("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n", hasBody: method != "HEAD")
    }
}

// MARK: - WebSocket

extension RawClient {
    /// The handshake of RFC 6455 section 1.3, with its example key.
    static func handshake(_ path: String = "/ws", headers: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(headers)\r\n"
    }

    /// Connects, upgrades, runs `body`.
    static func webSocket(
        to port: Int,
        path: String = "/ws",
        receiveBuffer: Int? = nil,
        _ body: (inout RawClient) async throws -> Void
    ) async throws {
        try await connect(to: port, receiveBuffer: receiveBuffer) { client in
            let reply = try await client.request(handshake(path), hasBody: false)
            try #require(reply.status == 101)
            #expect(reply.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            try await body(&client)
        }
    }

    /// Connects, upgrades, says hello, waits for `ready`, runs `body`.
    static func conversation(
        on port: Int,
        receiveBuffer: Int? = nil,
        _ body: (inout RawClient) async throws -> Void
    ) async throws {
        try await webSocket(to: port, receiveBuffer: receiveBuffer) { client in
            try await client.sendText(hello)
            guard case .text(let ready) = await client.frame() else {
                Issue.record("no `ready` came")
                return
            }
            try #require(ready.contains(#""type":"ready""#))
            try await body(&client)
        }
    }

    static let hello =
        #"{"type":"hello","version":1,"microphone":{"sample_rate":16000},"playout":{"sample_rate":48000}}"#

    /// A client's frame: masked, unless told otherwise.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], fin: Bool = true, isMasked: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = [opcode | (fin ? 0x80 : 0)]
        let mask: UInt8 = isMasked ? 0x80 : 0
        switch payload.count {
        case 0...125: bytes.append(UInt8(payload.count) | mask)
        case 126...0xffff: bytes += [126 | mask, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        default: bytes += [127 | mask] + (0..<8).map { UInt8(payload.count >> (8 * (7 - $0)) & 0xff) }
        }
        guard isMasked else { return bytes + payload }
        let key: [UInt8] = [0xa1, 0xb2, 0xc3, 0xd4]
        return bytes + key + payload.enumerated().map { $0.element ^ key[$0.offset % 4] }
    }

    func sendText(_ text: String) async throws { try await send(Self.frame(1, Array(text.utf8))) }

    func sendAudio(_ samples: [Int16]) async throws {
        try await send(Self.frame(2, [1, 0] + samples.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8 & 0xff)] }))
    }

    func sendClose(_ code: UInt16) async throws {
        try await send(Self.frame(8, [UInt8(code >> 8), UInt8(code & 0xff)]))
    }

    /// The next frame of the server, which must be whole and not masked.
    mutating func frame() async -> Frame {
        guard let head = await bytes(2) else { return .end }
        #expect(head[0] & 0xf0 == 0x80)
        #expect(head[1] & 0x80 == 0)
        var length = Int(head[1])
        if length > 125 {
            guard let extended = await bytes(length == 126 ? 2 : 8) else { return .end }
            length = extended.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let payload = await bytes(length) else { return .end }
        switch head[0] & 0xf {
        case 1: return .text(String(decoding: payload, as: UTF8.self))
        case 2: return .binary(payload)
        case 9: return .ping(payload)
        case 10: return .pong(payload)
        case 8: return .close(payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil)
        default:
            Issue.record("unexpected opcode \(head[0])")
            return .end
        }
    }

    /// Reads to the end: the close code, and the `error` message before it.
    mutating func closing() async -> (code: UInt16?, error: String?) {
        var error: String?
        while true {
            switch await frame() {
            case .text(let text) where text.contains(#""type":"error""#): error = text
            case .close(let code):
                try? await sendClose(code ?? 1000)
                #expect(await reachesEnd())
                return (code, error)
            case .end: return (nil, error)
            default: break
            }
        }
    }
}
