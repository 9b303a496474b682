public import Logging
internal import NIOCore
internal import Transports
public import VoiceCore

/// One recogniser as a network service: a WebSocket that is wire-compatible with the reference's, and OpenAI's endpoint for
/// files. The page `docs/asr-server.md` is its specification.
///
/// What happens in one session, a failure, a flood, a peer that stopped reading, never touches another: each is a child
/// task with bounded queues.
public struct RecognitionServer: Sendable {
    private let recognizer: any SpeechRecognizer
    private let configuration: Configuration
    private let version: String
    private let registry: PrometheusRegistry
    private let metrics: RecognitionMetrics
    private let logger: Logger
    private let clock: any SessionClock
    private let connections: ConnectionRegistry
    private let sessions: SessionSlots
    private let counters = TransportCounters()

    /// Makes a server; nothing happens until ``run(onReady:)``.
    ///
    /// - Parameters:
    ///   - recognizer: what understands; ready to open streams.
    ///   - version: the program's, for `/health`.
    ///   - configuration: where to listen and how much to allow.
    ///   - metrics: keeps the server's numbers and is written at `/metrics`; the one that the program bootstrapped, so that
    ///     the numbers of other modules are there too.
    ///   - logger: gets sessions' begins and ends, never what was said.
    ///   - clock: the time for all limits.
    public init(
        recognizer: any SpeechRecognizer,
        version: String,
        configuration: Configuration = Configuration(),
        metrics: PrometheusRegistry = PrometheusRegistry(),
        logger: Logger,
        clock: any SessionClock = SystemClock()
    ) {
        self.recognizer = recognizer
        self.version = version
        self.configuration = configuration
        registry = metrics
        self.metrics = RecognitionMetrics(factory: metrics)
        self.logger = logger
        self.clock = clock
        connections = ConnectionRegistry(limit: configuration.maxConnections)
        sessions = SessionSlots(limit: configuration.maxSessions)
    }

    /// Serves until the task is cancelled, then says goodbye to every client (close code 1001) and returns.
    ///
    /// To be called once.
    /// - Parameter onReady: called as soon as connections are accepted.
    /// - Throws: ``VoiceError/Code/unavailable`` if the port is in use, ``VoiceError/Code/usage`` if host or port cannot be
    ///   used.
    public func run(onReady: @escaping @Sendable (Endpoint) async -> Void = { _ in }) async throws(VoiceError) {
        var limits = configuration.limits
        limits.idleTimeout = configuration.idleTimeout
        let context = HTTPConnection<MessageConnection>.Context(
            router: router(since: clock.now),
            timing: configuration.timing,
            clock: clock
        ) { [limits, clock, counters, metrics] channel, _ in
            try MessageConnection(on: channel, limits: limits, clock: clock, counters: counters) { code, message in
                metrics.service.failed(code)
                return try? RecognitionProtocol.encode(.error(code, message))
            }
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
                case .exchange(let exchange): await transcribe(exchange)
                case .webSocket(let webSocket, let place): await recognize(over: webSocket, holding: place)
                }
            }
        }
        logger.debug("server stopped")
    }

    private func router(since started: Duration) -> RecognitionRouter {
        RecognitionRouter(
            origins: OriginPolicy(allowed: configuration.allowedOrigins, host: configuration.host),
            sessions: sessions,
            fileLimit: configuration.maxFileBytes,
            counts: metrics.service,
            health: {
                ServiceHealth(
                    version: version,
                    model: recognizer.name,
                    uptime: clock.now - started,
                    sessions: sessions.counts,
                    connections: connections.counts,
                    transports: counters.snapshot
                ).json
            },
            metricsText: { registry.text }
        )
    }

    private var followed: ServiceSessions {
        ServiceSessions(metrics: metrics.service, logger: logger, clock: clock)
    }

    /// Follows a WebSocket to its end.
    private func recognize(over webSocket: MessageConnection, holding place: Place?) async {
        await followed.follow(webSocket) { logger in
            var session = RecognitionSession(
                recognizer: recognizer,
                options: configuration.options,
                connection: webSocket,
                metrics: metrics,
                clock: clock
            )
            let reason = await session.run()
            if let failure = reason.failure, !Task.isCancelled {
                // Errors of engines do not quote what people say, but their causes may.
                logger.warning("session failed", metadata: ["error.code": "\(failure)"])
            }
            webSocket.close(reason)
        }
        withExtendedLifetime(place) {}
    }

    /// Answers a request for the transcript of a file.
    private func transcribe(_ exchange: HTTPExchange) async {
        let transcription = FileTranscription(
            recognizer: recognizer,
            options: configuration.options,
            metrics: metrics,
            clock: clock,
            exchange: exchange
        )
        await followed.follow(exchange) { await transcription.run() }
    }
}
