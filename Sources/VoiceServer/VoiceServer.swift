public import Logging
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Transports
public import VoiceCore

/// The network's side of the agent: one port with the page, its health and a WebSocket for each conversation, be it with a
/// page, a Pipecat client or a telephone.
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
    private let exchanges = SessionSlots(limit: 32)
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
        if let url = configuration.publicURL, PublicAddress(url) == nil {
            throw VoiceError(
                .usage,
                "\(url) is not the address of a server; write for example https://voice.example.org"
            )
        }
        let started = clock.now
        let router = Router(
            playground: try Playground(directory: directory),
            origins: OriginPolicy(allowed: configuration.allowedOrigins, host: configuration.host),
            exchanges: exchanges,
            health: { health(since: started).json }
        )
        let context = HTTPConnection<WebSocketConnection>.Context(
            router: router,
            timing: configuration.timing,
            clock: clock
        ) { [configuration, clock, counters, describe] channel, head in
            let description = describe()
            return try WebSocketConnection(
                on: channel,
                entrance: router.entrance(for: head, usually: configuration.pipecatRate),
                about: RTVIAbout(library: "repartee", version: description.version),
                models: description.models,
                limits: configuration.limits,
                clock: clock,
                counters: counters
            )
        }
        let listener = HTTPListener(
            host: configuration.host,
            port: configuration.port,
            context: context,
            connections: connections
        )
        try await listener.run(onReady: onReady) { connection in
            for await arrival in connection.arrivals {
                switch arrival {
                case .exchange(let exchange): exchange.respond(answer(exchange))
                case .webSocket(let webSocket, _): await converse(over: webSocket)
                }
            }
        }
        logger.debug("server stopped")
    }

    // MARK: - Requests

    /// Answers a request with content.
    private func answer(_ exchange: HTTPExchange) -> Response {
        let head = exchange.head
        guard let address = configuration.publicURL.flatMap({ PublicAddress($0) }) ?? PublicAddress(head) else {
            return .line(.badRequest, "the header Host is malformed", closes: true)
        }
        let content = exchange.body.flatMap { Array($0.readableBytesView) }
        guard head.uri.prefix(while: { $0 != "?" }) == "/" else {
            return StartRequest(content).response(at: address).shared(with: head)
        }
        let webhook = Webhook(head, content, at: address.url(head.uri))
        guard webhook.isGenuine(configuration.telephony, at: Date().timeIntervalSince1970) else {
            logger.warning("webhook refused", metadata: ["provider": "\(webhook.provider.rawValue)"])
            return .line(.forbidden, "the signature is missing or wrong", closes: true)
        }
        guard webhook.namesCall else { return .line(.badRequest, "the form names no call", closes: true) }
        let counts = sessions.counts
        let answer =
            counts.active < counts.maximum ? webhook.connection(to: address.webSocket(Router.webSocket)) : webhook.busy
        let headers: HTTPHeaders = ["Content-Type": "application/xml", "Cache-Control": "no-store"]
        return Response(.ok, headers: headers, body: ByteBuffer(string: answer))
    }

    // MARK: - Conversations

    /// Holds a conversation over a WebSocket, if there is room.
    private func converse(over webSocket: WebSocketConnection) async {
        guard let visitor = try? await webSocket.visitor.get(), !Task.isCancelled else { return }
        guard sessions.take() else {
            logger.info("session refused", metadata: ["sessions.maximum": "\(configuration.maxSessions)"])
            return webSocket.close(.full("all \(configuration.maxSessions) conversations are taken; try again later"))
        }
        defer { sessions.giveBack() }
        let id = Self.makeID()
        let description = describe()
        let transport = webSocket.accept(visitor, session: id, models: description.models, advice: description.advice)
        let info = SessionInfo(id: id, visitor, playout: transport.playoutRate, logger)
        let began = clock.now
        info.logger.info("session began", metadata: ["session.kind": "\(info.kind)"])
        await withTaskGroup { group in
            group.addTask {
                let reason = await run(info, transport, webSocket)
                if case .telephone(let call) = visitor { await end(call, reason, webSocket, info.logger) }
                webSocket.close(reason)
            }
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

    /// Hangs up, unless the caller did.
    private func end(
        _ call: TelephonyCall,
        _ reason: CloseReason,
        _ webSocket: WebSocketConnection,
        _ logger: Logger
    ) async {
        guard reason != .ended || !webSocket.isClosing, let hangUp = HangUp(call, configuration.telephony) else {
            return
        }
        guard let problem = await hangUp.run() else { return logger.info("call hung up") }
        logger.warning("call not hung up", metadata: ["problem": "\(problem)"])
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
