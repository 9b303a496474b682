public import Logging
internal import NIOCore
internal import Transports
public import VoiceCore

/// The network's side of the agent: one port with the page, its health and a WebSocket for each conversation.
///
/// It knows nothing of conversations but a closure that holds one over a transport. What happens in one session, a
/// failure, a flood, a peer that stopped reading, never touches another: each is a child task with bounded queues.
public struct VoiceServer: Sendable {
    private let configuration: Configuration
    private let logger: Logger
    private let clock: any SessionClock
    private let describe: @Sendable () -> ServerDescription
    private let runSession: @Sendable (any Transport, SessionInfo) async throws -> Void
    private let connections: ConnectionRegistry
    private let sessions: SessionSlots
    private let counters = TransportCounters()

    /// Makes a server; nothing happens until ``run(onReady:)``.
    ///
    /// - Parameters:
    ///   - configuration: where to listen and how much to allow.
    ///   - logger: gets sessions' begins and ends, never what was said.
    ///   - clock: the time for all limits.
    ///   - describe: what is loaded. Called for each `/health` on an event loop, so it must return at once.
    ///   - runSession: one conversation. Called once for each, concurrently. Its return ends the conversation, its error is
    ///     told to the page (close code 1011). When the page goes the transport's `events` end; it is cancelled 2 s
    ///     later, or at once when the server stops.
    public init(
        configuration: Configuration = Configuration(),
        logger: Logger,
        clock: any SessionClock = SystemClock(),
        describe: @escaping @Sendable () -> ServerDescription,
        runSession: @escaping @Sendable (any Transport, SessionInfo) async throws -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.describe = describe
        self.runSession = runSession
        connections = ConnectionRegistry(limit: configuration.maxConnections)
        sessions = SessionSlots(limit: configuration.maxSessions)
    }

    /// Serves until the task is cancelled, then says goodbye to every page (close code 1001) and returns.
    ///
    /// To be called once.
    /// - Parameter onReady: called as soon as connections are accepted.
    /// - Throws: ``VoiceError/Code/unavailable`` if the port is in use, ``VoiceError/Code/usage`` if host or port cannot be
    ///   used, ``VoiceError/Code/missingInput`` without the page's files.
    public func run(onReady: @escaping @Sendable (Endpoint) async -> Void = { _ in }) async throws(VoiceError) {
        let directory: String
        if let configured = configuration.playgroundDirectory {
            directory = configured
        } else {
            directory = try Playground.shippedDirectory()
        }
        let started = clock.now
        let router = Router(
            playground: try Playground(directory: directory),
            origins: OriginPolicy(allowed: configuration.allowedOrigins, host: configuration.host),
            health: { health(since: started).json }
        )
        let context = HTTPConnection<WebSocketConnection>.Context(
            router: router,
            timing: configuration.timing,
            clock: clock
        ) { [configuration, clock, counters] channel in
            try WebSocketConnection(on: channel, limits: configuration.limits, clock: clock, counters: counters)
        }
        let listener = HTTPListener(
            host: configuration.host,
            port: configuration.port,
            context: context,
            connections: connections
        )
        try await listener.run(onReady: onReady) { connection in
            for await arrival in connection.arrivals {
                if case .webSocket(let webSocket, _) = arrival { await converse(over: webSocket) }
            }
        }
        logger.debug("server stopped")
    }

    /// Holds a conversation over a WebSocket, if there is room.
    private func converse(over webSocket: WebSocketConnection) async {
        guard let hello = try? await webSocket.greeting.get(), !Task.isCancelled else { return }
        guard sessions.take() else {
            logger.info("session refused", metadata: ["sessions.maximum": "\(configuration.maxSessions)"])
            return webSocket.close(.full("all \(configuration.maxSessions) conversations are taken; try again later"))
        }
        defer { sessions.giveBack() }
        let info = SessionInfo(id: Self.makeID(), hello, logger)
        let description = describe()
        let transport = webSocket.accept(
            hello,
            session: info.id,
            models: description.models,
            advice: description.advice
        )
        let began = clock.now
        info.logger.info("session began")
        await withTaskGroup { group in
            group.addTask { webSocket.close(await run(info, transport, webSocket)) }
            group.addTask {
                try? await webSocket.closed.get()
                try? await clock.sleep(until: clock.now + configuration.timing.sessionGrace)
            }
            await group.next()
            group.cancelAll()
        }
        info.logger.info("session ended", metadata: ["session.seconds": "\((clock.now - began).components.seconds)"])
    }

    /// Runs a session to its end and says how to close after it.
    private func run(
        _ info: SessionInfo,
        _ transport: WebSocketTransport,
        _ webSocket: WebSocketConnection
    ) async -> CloseReason {
        do {
            try await runSession(transport, info)
            return Task.isCancelled ? .shuttingDown : .ended
        } catch {
            if Task.isCancelled { return .shuttingDown }
            // Most likely it wanted to say something to a page that has just gone.
            if webSocket.isClosing { return .ended }
            let failure = VoiceError.wrapping(error, doing: "the conversation failed")
            // Errors of engines do not quote what people say, but their causes may.
            info.logger.warning("session failed", metadata: ["error.code": "\(failure.code)"])
            return .failure(failure)
        }
    }

    private func health(since started: Duration) -> Health {
        Health(
            describe(),
            uptime: clock.now - started,
            sessions: sessions.counts,
            connections: connections.counts,
            transports: counters.snapshot
        )
    }

    private static func makeID() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
