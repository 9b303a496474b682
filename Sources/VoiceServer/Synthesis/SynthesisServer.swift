internal import Foundation
public import Logging
internal import NIOCore
internal import Transports
public import VoiceCore

/// Voices as a network service: a WebSocket that is wire-compatible with the reference's, and OpenAI's endpoint for speech.
/// The page `docs/tts-server.md` is its specification.
///
/// What happens in one session, a failure, a flood, a peer that stopped reading, never touches another: each is a child
/// task with bounded queues.
public struct SynthesisServer: Sendable {
    private let voices: VoiceTable
    private let configuration: Configuration
    private let version: String
    private let registry: PrometheusRegistry
    private let metrics: SynthesisMetrics
    private let logger: Logger
    private let clock: any SessionClock
    private let connections: ConnectionRegistry
    private let sessions: SessionSlots
    private let counters = TransportCounters()

    /// Makes a server; nothing happens until ``run(onReady:)``.
    ///
    /// - Parameters:
    ///   - voices: who speaks.
    ///   - version: the program's, for `/health`.
    ///   - configuration: where to listen and how much to allow.
    ///   - metrics: keeps the server's numbers and is written at `/metrics`; the one that the program bootstrapped, so that
    ///     the numbers of other modules are there too.
    ///   - logger: gets sessions' begins and ends, never what was said.
    ///   - clock: the time for all limits.
    public init(
        voices: VoiceTable,
        version: String,
        configuration: Configuration = Configuration(),
        metrics: PrometheusRegistry = PrometheusRegistry(),
        logger: Logger,
        clock: any SessionClock = SystemClock()
    ) {
        self.voices = voices
        self.version = version
        self.configuration = configuration
        registry = metrics
        self.metrics = SynthesisMetrics(factory: metrics)
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
                return SynthesisProtocol.encode(.error(code, message, isFatal: true))
            }
        }
        let listener = HTTPListener(
            host: configuration.host,
            port: configuration.port,
            context: context,
            connections: connections,
            unsentBytes: Self.unsentBytes
        )
        try await listener.run(onReady: onReady) { connection in
            for await arrival in connection.arrivals {
                switch arrival {
                case .exchange(let exchange): await answer(exchange)
                case .webSocket(let webSocket, let place): await speak(over: webSocket, holding: place)
                }
            }
        }
        logger.debug("server stopped")
    }

    /// Bytes that the kernel takes before it has sent what it has: what lies there cannot be cut. About 20 ms at 22 kHz.
    private static let unsentBytes = 1_024

    private func router(since started: Duration) -> SynthesisRouter {
        SynthesisRouter(
            origins: OriginPolicy(allowed: configuration.allowedOrigins, host: configuration.host),
            sessions: sessions,
            speechLimit: configuration.limits.messageBytes,
            voices: voices,
            rate: configuration.rate,
            counts: metrics.service,
            health: {
                ServiceHealth(
                    version: version,
                    voice: voices.standard.name,
                    model: voices.standard.synthesizer.name,
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
    private func speak(over webSocket: MessageConnection, holding place: Place?) async {
        await followed.follow(webSocket) { _ in
            let machine = SynthesisMachine(
                voices: voices,
                rate: configuration.rate,
                limits: configuration.texts,
                makeID: { UUID().uuidString.lowercased() }
            )
            let session = SynthesisSession(
                machine: machine,
                connection: webSocket,
                pace: configuration.speed.map(SendingPace.init),
                metrics: metrics,
                clock: clock
            )
            webSocket.close(await session.run())
        }
        withExtendedLifetime(place) {}
    }

    /// Answers a request for speech.
    private func answer(_ exchange: HTTPExchange) async {
        let answer = SpeechAnswer(
            voices: voices,
            rate: configuration.rate,
            textLimit: configuration.texts.text,
            metrics: metrics,
            clock: clock,
            exchange: exchange
        )
        await followed.follow(exchange) { await answer.run() }
    }
}
