internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Transports
internal import VoiceCore

/// A port and the connections on it.
struct HTTPListener<WebSocket: Sendable>: Sendable {
    let host: String
    let port: Int
    let context: HTTPConnection<WebSocket>.Context
    let connections: ConnectionRegistry
    /// Bytes that the kernel takes of a connection before it has sent what it has; nil for as many as fit. Linux only.
    var unsentBytes: Int?
    /// What connections are encrypted with; nil for plain ones.
    var tls: NIOSSLContext?

    /// Accepts connections until the task is cancelled, then asks each to close and waits for that.
    ///
    /// - Parameters:
    ///   - onReady: called as soon as connections are accepted.
    ///   - serve: follows one connection to its end. Called once for each, concurrently.
    /// - Throws: ``VoiceError/Code/unavailable`` or ``VoiceError/Code/usage``, with what to do, if the port cannot be opened.
    func run(
        onReady: @escaping @Sendable (Endpoint) async -> Void,
        serve: @escaping @Sendable (HTTPConnection<WebSocket>) async -> Void
    ) async throws(VoiceError) {
        let listener = try await listen()
        do {
            try await accept(listener, onReady, serve)
        } catch is CancellationError {
            return
        } catch {
            throw VoiceError.wrapping(error, doing: "the server on \(host) stopped unexpectedly")
        }
    }

    private func accept(
        _ listener: NIOAsyncChannel<HTTPConnection<WebSocket>, Never>,
        _ onReady: @escaping @Sendable (Endpoint) async -> Void,
        _ serve: @escaping @Sendable (HTTPConnection<WebSocket>) async -> Void
    ) async throws {
        let endpoint = Endpoint(host: host, port: listener.channel.localAddress?.port ?? port)
        try await withTaskCancellationHandler {
            try await listener.executeThenClose { arrivals in
                try await withThrowingDiscardingTaskGroup { group in
                    group.addTask { await onReady(endpoint) }
                    group.addTask { await tick() }
                    defer {
                        connections.stop()
                        group.cancelAll()
                    }
                    for try await connection in arrivals {
                        group.addTask {
                            await serve(connection)
                            try? await connection.channel.closeFuture.get()
                        }
                    }
                }
            }
        } onCancel: {
            listener.channel.close(promise: nil)
            connections.stop()
        }
    }

    /// Tells every connection the time, so that idle ones need no timers of their own.
    private func tick() async {
        let clock = context.clock
        var told = clock.now
        while (try? await clock.sleep(until: told + context.timing.tick)) != nil {
            told = clock.now
            connections.signal(.tick(told))
        }
    }

    private func listen() async throws(VoiceError) -> NIOAsyncChannel<HTTPConnection<WebSocket>, Never> {
        guard (0...Int(UInt16.max)).contains(port) else {
            throw VoiceError(.usage, "\(port) is not a port; choose one from 0 to 65535")
        }
        do {
            var bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            #if os(Linux)
                if let unsentBytes {
                    // TCP_NOTSENT_LOWAT of linux/tcp.h
                    let option = NIOBSDSocket.Option(rawValue: 25)
                    bootstrap = bootstrap.childChannelOption(.tcpOption(option), value: .init(unsentBytes))
                }
            #endif
            return
                try await bootstrap
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // One second of audio at 48 kHz. Audio in the kernel cannot be cut any more, and a peer that stopped
                // reading is noticed only once this is full.
                .childChannelOption(.socketOption(.so_sndbuf), value: 96 * 1024)
                .bind(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try admit(channel) }
                }
        } catch {
            throw Endpoint.failure(of: error, host: host, port: port)
        }
    }

    /// Takes a fresh connection in. Far over the limit it is closed unheard, by the error.
    private func admit(_ channel: any Channel) throws -> HTTPConnection<WebSocket> {
        guard let isWelcome = connections.add(channel) else {
            throw VoiceError(.exhausted, "too many connections")
        }
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
        return try HTTPConnection(on: channel, context, refusal: isWelcome ? nil : .tooManyConnections)
    }
}
