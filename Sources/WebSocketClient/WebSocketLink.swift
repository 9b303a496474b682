internal import Foundation
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import NIOSSL
internal import NIOWebSocket
internal import Synchronization
package import VoiceCore

/// The sockets of one client, one after the other, and what they have to tell.
///
/// A socket belongs to its event loop, which puts events here; the owner takes them when it likes. Nothing suspends. What an
/// earlier socket still has to tell is thrown away. ``close()`` ends it for ever; the owner calls it when it goes.
package final class WebSocketLink: Sendable {
    /// What a socket tells.
    package enum Event: Sendable, Equatable {
        /// The server agreed to a WebSocket.
        case opened
        /// The server sent a text message.
        case message(String)
        /// The server sent another message.
        case binary([UInt8])
        /// Whether more can be sent now.
        case writable(Bool)
        /// The connection ended, or could not be made.
        case closed(why: String)
        /// The same, because the server has no room; when it may have some again, if it says so.
        case refused(why: String, retryAfter: Duration?)
    }

    /// How much a link takes.
    package struct Limits: Sendable {
        /// How long a connection may take.
        package var connect: Duration
        /// Bytes of one message of the server at most.
        package var messageBytes: Int
        /// Messages of the server that may wait.
        package var messages: Int
        /// What becomes of a server that sends more.
        package var overflow: Overflow

        /// Makes limits.
        package init(connect: Duration, messageBytes: Int, messages: Int, overflow: Overflow) {
            self.connect = connect
            self.messageBytes = messageBytes
            self.messages = messages
            self.overflow = overflow
        }
    }

    /// What becomes of a server that sends more than may wait.
    package enum Overflow: Sendable {
        /// It is left: nobody sends so much.
        case leave
        /// It is not read until the messages were taken.
        case hold
    }

    private struct State {
        var events: [Event] = []
        var channel: (any Channel)?
        /// Counts the connections; an event of another one is stale.
        var generation = 0
        var isClosed = false
        /// True while the socket is not read, because messages wait.
        var isHeld = false
    }

    private let address: ServerAddress
    private let limits: Limits
    private let tls: NIOSSLContext?
    private let group: any EventLoopGroup
    private let state = Mutex(State())
    /// Raised when there are events.
    package let signal: Signal

    /// What TLS needs for an address; nil for one without.
    /// - Parameter roots: the certificates to trust.
    /// - Throws: `unavailable` when the machine has no usable certificates.
    package static func tls(
        for address: ServerAddress,
        trusting roots: NIOSSLTrustRoots = .default
    ) throws(VoiceError) -> NIOSSLContext? {
        guard address.isSecure else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = roots
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw VoiceError(.unavailable, "TLS for \(address) cannot be set up", cause: error)
        }
    }

    /// Makes a link without a connection.
    /// - Parameter tls: for addresses that want it.
    package init(
        address: ServerAddress,
        limits: Limits,
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
    package func take() -> [Event] {
        let (events, held) = state.withLock { state -> ([Event], (any Channel)?) in
            defer {
                state.events = []
                state.isHeld = false
            }
            return (state.events, state.isHeld ? state.channel : nil)
        }
        held?.read()
        return events
    }

    /// Begins a connection.
    /// - Parameter other: another server than the link's usual one, which must not want TLS if that does not.
    package func connect(to other: ServerAddress? = nil) {
        let address = other ?? address
        let generation = state.withLock { state -> Int in
            state.generation += 1
            return state.generation
        }
        ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(limits.connect))
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel, address, generation) }
            }
            .connect(host: address.host, port: address.port)
            .whenFailure { [self] error in fail(generation, why: Self.words(for: error)) }
    }

    /// Ends the connection, if there is one; what it still tells is thrown away.
    package func disconnect() { end(forEver: false) }

    /// Ends the link.
    package func close() { end(forEver: true) }

    /// Sends a text message, if there is a connection.
    package func say(_ text: String) { write(.text, ByteBuffer(string: text)) }

    /// Sends a binary message, if there is a connection.
    package func send(_ bytes: [UInt8]) { write(.binary, ByteBuffer(bytes: bytes)) }

    private func write(_ opcode: WebSocketOpcode, _ bytes: ByteBuffer) {
        guard let channel = state.withLock({ $0.channel }) else { return }
        channel.writeAndFlush(
            WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: bytes),
            promise: nil
        )
    }

    /// Puts in an event of a connection. Called on its event loop.
    func post(_ event: Event, from generation: Int) {
        let isFull = state.withLock { state -> Bool in
            guard state.generation == generation else { return false }
            state.events.append(event)
            return limits.overflow == .leave && state.events.count > limits.messages
        }
        signal.raise()
        if isFull { fail(generation, why: "it sent more than \(limits.messages) messages at once") }
    }

    /// True if the socket may be read. Called on its event loop; with false it is read when the messages were taken.
    func mayRead(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation, limits.overflow == .hold, state.events.count >= limits.messages else {
                return true
            }
            state.isHeld = true
            return false
        }
    }

    /// Ends a connection that went wrong, or is gone. Called on its event loop.
    func fail(_ generation: Int, why: String) { end(generation, with: .closed(why: why)) }

    /// Ends a connection for which the server has no room. Called on its event loop.
    func refuse(_ generation: Int, why: String, retryAfter: Duration?) {
        end(generation, with: .refused(why: why, retryAfter: retryAfter))
    }

    private func end(_ generation: Int, with event: Event) {
        let channel = state.withLock { state -> (any Channel)? in
            guard state.generation == generation else { return nil }
            state.generation += 1
            if limits.overflow == .leave, state.events.count > limits.messages { state.events = [] }
            state.isHeld = false
            state.events.append(event)
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
            state.isHeld = false
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
            // strerror never returns null and its text is copied at once.
            return unsafe String(cString: strerror(error.errnoCode)).lowercased()
        default:
            return "\(error)"
        }
    }

    // MARK: - on the event loop

    private func initialize(_ channel: any Channel, _ address: ServerAddress, _ generation: Int) throws {
        let isCurrent = state.withLock { state -> Bool in
            guard state.generation == generation, !state.isClosed else { return false }
            state.channel = channel
            return true
        }
        guard isCurrent else { throw ChannelError.ioOnClosedChannel }
        let pipeline = channel.pipeline.syncOperations
        if let tls, address.isSecure {
            // A certificate is for a name, or for the address that was dialled when there is none.
            let isName = (try? SocketAddress(ipAddress: address.host, port: address.port)) == nil
            let name = isName ? address.host : nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
        }
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
            upgradeConfiguration: handshake(address, generation)
        )
        // The server's first message may come in one packet with its handshake, and the default throws it away.
        configuration.leftOverBytesStrategy = .forwardBytes
        let upgrade = try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
        upgrade.whenComplete { [self] result in
            switch result {
            case .success(true): post(.opened, from: generation)
            // The handler of refusals tells why.
            case .success(false): break
            case .failure(let error): fail(generation, why: Self.words(for: error))
            }
        }
    }

    /// The handshake of RFC 6455 section 4.1; its result is whether the server agreed.
    private func handshake(
        _ address: ServerAddress,
        _ generation: Int
    ) -> NIOTypedHTTPClientUpgradeConfiguration<Bool> {
        let upgrader = NIOTypedWebSocketClientUpgrader<Bool>(maxFrameSize: limits.messageBytes) { [self] channel, _ in
            channel.eventLoop.makeCompletedFuture {
                let aggregator = NIOWebSocketFrameAggregator(
                    minNonFinalFragmentSize: 0,
                    maxAccumulatedFrameCount: 1024,
                    maxAccumulatedFrameSize: limits.messageBytes
                )
                try channel.pipeline.syncOperations.addHandler(aggregator)
                try channel.pipeline.syncOperations.addHandler(WebSocketLinkHandler(link: self, generation: generation))
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
            notUpgradingCompletionHandler: { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RefusalHandler(link: self, generation: generation))
                    return false
                }
            }
        )
    }
}
