internal import NIOCore
internal import NIOPosix
internal import VoiceCore

extension VoiceServer {
    /// Opens the port.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` or ``VoiceError/Code/usage``, with what to do.
    func listen(_ router: Router) async throws(VoiceError) -> NIOAsyncChannel<HTTPConnection, Never> {
        guard (0...Int(UInt16.max)).contains(configuration.port) else {
            throw VoiceError(.usage, "\(configuration.port) is not a port; choose one from 0 to 65535")
        }
        let context = HTTPConnection.Context(
            router: router,
            limits: configuration.limits,
            timing: configuration.timing,
            clock: clock,
            counters: counters
        )
        do {
            return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // One second of audio at 48 kHz. Audio in the kernel cannot be cut any more, and a peer that stopped
                // reading is noticed only once this is full.
                .childChannelOption(.socketOption(.so_sndbuf), value: 96 * 1024)
                .bind(host: configuration.host, port: configuration.port) { channel in
                    channel.eventLoop.makeCompletedFuture { try admit(channel, context) }
                }
        } catch {
            throw Endpoint.failure(of: error, host: configuration.host, port: configuration.port)
        }
    }

    /// Takes a fresh connection in. Far over the limit it is closed unheard, by the error.
    private func admit(_ channel: any Channel, _ context: HTTPConnection.Context) throws -> HTTPConnection {
        guard let isWelcome = connections.add(channel) else {
            throw VoiceError(.exhausted, "too many connections")
        }
        return try HTTPConnection(on: channel, context, refusal: isWelcome ? nil : .tooManyConnections)
    }
}
