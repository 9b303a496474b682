internal import Audio
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket
internal import Synchronization
internal import VoiceCore

/// The sockets of one stream, one after the other, and what they have to tell.
///
/// A socket belongs to its event loop, which puts events here; the stream takes them when it is called. Nothing suspends.
/// What an earlier socket still has to tell is thrown away. ``close()`` ends it for ever; the stream calls it when it goes.
final class RemoteLink: Sendable {
    private struct State {
        var events: [RemoteMachine.Event] = []
        var channel: (any Channel)?
        /// Counts the connections; an event of another one is stale.
        var generation = 0
        var isClosed = false
    }

    private let address: RecognizerAddress
    private let limits: RemoteLimits
    private let tls: NIOSSLContext?
    private let group: any EventLoopGroup
    private let state = Mutex(State())
    /// Raised when there are events.
    let signal: Signal

    /// Makes a link without a connection.
    /// - Parameter tls: for addresses that want it.
    init(
        address: RecognizerAddress,
        limits: RemoteLimits,
        tls: NIOSSLContext?,
        group: any EventLoopGroup,
        clock: any SessionClock
    ) {
        self.address = address
        self.limits = limits
        self.tls = tls
        self.group = group
        signal = Signal(clock: clock)
    }

    /// What has happened since the last call, oldest first.
    func take() -> [RemoteMachine.Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// Begins a connection.
    func connect() {
        let generation = state.withLock { state -> Int in
            state.generation += 1
            return state.generation
        }
        ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(limits.connect))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel, generation) }
            }
            .connect(host: address.host, port: address.port)
            .whenFailure { [self] error in fail(generation, why: Self.words(for: error)) }
    }

    /// Ends the connection, if there is one; what it still tells is thrown away.
    func disconnect() { end(forEver: false) }

    /// Ends the link.
    func close() { end(forEver: true) }

    /// Sends a text message, if there is a connection.
    func say(_ text: String) { write(.text, ByteBuffer(string: text)) }

    /// Sends samples in [-1, 1] as 16-bit little-endian bytes, if there is a connection.
    func send(_ samples: [Float]) { write(.binary, ByteBuffer(bytes: PCM16.bytes(samples))) }

    private func write(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer) {
        guard let channel = state.withLock({ $0.channel }) else { return }
        channel.writeAndFlush(
            WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: bytes),
            promise: nil
        )
    }

    /// Puts in an event of a connection. Called on its event loop.
    func post(_ event: RemoteMachine.Event, from generation: Int) {
        let isFull = state.withLock { state -> Bool in
            guard state.generation == generation else { return false }
            state.events.append(event)
            return state.events.count > limits.messages
        }
        signal.raise()
        if isFull { fail(generation, why: "it sent more than \(limits.messages) messages at once") }
    }

    /// Ends a connection that went wrong, or is gone. Called on its event loop.
    func fail(_ generation: Int, why: String) {
        let channel = state.withLock { state -> (any Channel)? in
            guard state.generation == generation else { return nil }
            state.generation += 1
            if state.events.count > limits.messages { state.events = [] }
            state.events.append(.closed(why: why))
            defer { state.channel = nil }
            return state.channel
        }
        signal.raise()
        channel?.close(promise: nil)
    }

    private func end(forEver: Bool) {
        let channel = state.withLock { state -> (any Channel)? in
            state.generation += 1
            state.events = []
            state.isClosed = state.isClosed || forEver
            defer { state.channel = nil }
            return state.channel
        }
        channel?.close(promise: nil)
    }

    /// What went wrong with a socket, without NIO's own names.
    static func words(for error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let last = error.connectionErrors.last else { return "the name \(error.host) is not known" }
            return words(for: last.error)
        case let error as IOError:
            return String(cString: strerror(error.errnoCode)).lowercased()
        default:
            return "\(error)"
        }
    }

    // MARK: - on the event loop

    private func initialize(_ channel: any Channel, _ generation: Int) throws {
        let isCurrent = state.withLock { state -> Bool in
            guard state.generation == generation, !state.isClosed else { return false }
            state.channel = channel
            return true
        }
        guard isCurrent else { throw ChannelError.ioOnClosedChannel }
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            // A certificate is for a name, or for the address that was dialled when there is none.
            let isName = (try? SocketAddress(ipAddress: address.host, port: address.port)) == nil
            let name = isName ? address.host : nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
        }
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: handshake(generation))
        // The server's first message may come in one packet with its handshake, and the default throws it away.
        configuration.leftOverBytesStrategy = .forwardBytes
        let upgrade = try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
        upgrade.whenComplete { [self] result in
            switch result {
            case .success(true): break
            case .success(false): fail(generation, why: "it answers, but not with a WebSocket; check its port and path")
            case .failure(let error): fail(generation, why: Self.words(for: error))
            }
        }
    }

    /// The handshake of RFC 6455 section 4.1; its result is whether the server agreed.
    private func handshake(_ generation: Int) -> NIOTypedHTTPClientUpgradeConfiguration<Bool> {
        let upgrader = NIOTypedWebSocketClientUpgrader<Bool>(maxFrameSize: limits.messageBytes) { [self] channel, _ in
            channel.eventLoop.makeCompletedFuture {
                let aggregator = NIOWebSocketFrameAggregator(
                    minNonFinalFragmentSize: 0,
                    maxAccumulatedFrameCount: 1024,
                    maxAccumulatedFrameSize: limits.messageBytes
                )
                try channel.pipeline.syncOperations.addHandler(aggregator)
                try channel.pipeline.syncOperations.addHandler(RemoteHandler(link: self, generation: generation))
                return true
            }
        }
        let head = HTTPRequestHead(
            version: .http1_1,
            method: .GET,
            uri: address.path,
            headers: ["Host": address.authority]
        )
        return NIOTypedHTTPClientUpgradeConfiguration(
            upgradeRequestHead: head,
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { $0.eventLoop.makeSucceededFuture(false) }
        )
    }
}
