internal import Foundation
public import Logging
internal import NIOCore
public import VoiceCore

/// A language model as a network service with OpenAI's interface. The page `docs/llm-server.md` is its specification.
///
/// Each request is a child task; what happens in one, a failure, a flood, a client that stopped reading, never touches another.
public struct CompletionServer: Sendable {
    private let model: any LanguageModel
    private let configuration: Configuration
    private let version: String
    private let registry: PrometheusRegistry
    private let metrics: CompletionMetrics
    private let logger: Logger
    private let clock: any SessionClock
    private let connections: ConnectionRegistry
    private let sessions: SessionSlots

    /// Makes a server; nothing happens until ``run(onReady:)``.
    ///
    /// - Parameters:
    ///   - model: who replies.
    ///   - version: the program's, for `/health`.
    ///   - configuration: where to listen and how much to allow.
    ///   - metrics: keeps the server's numbers and is written at `/metrics`; the one that the program bootstrapped, so that
    ///     the numbers of other modules are there too.
    ///   - logger: gets requests' begins and ends, never what was said.
    ///   - clock: the time for all limits.
    public init(
        model: any LanguageModel,
        version: String,
        configuration: Configuration = Configuration(),
        metrics: PrometheusRegistry = PrometheusRegistry(),
        logger: Logger,
        clock: any SessionClock = SystemClock()
    ) {
        self.model = model
        self.version = version
        self.configuration = configuration
        registry = metrics
        self.metrics = CompletionMetrics(factory: metrics)
        self.logger = logger
        self.clock = clock
        connections = ConnectionRegistry(limit: configuration.maxConnections)
        sessions = SessionSlots(limit: configuration.chats + configuration.waiting)
    }

    /// Serves until the task is cancelled, then ends all replies and returns.
    ///
    /// To be called once.
    /// - Parameter onReady: called as soon as connections are accepted.
    /// - Throws: ``VoiceError/Code/unavailable`` if the port is in use, ``VoiceError/Code/usage`` if host or port cannot be
    ///   used, ``VoiceError/Code/exhausted`` if the model has no room for all chats.
    public func run(onReady: @escaping @Sendable (Endpoint) async -> Void = { _ in }) async throws(VoiceError) {
        let pool = try await ChatPool(
            model,
            chats: configuration.chats,
            patience: configuration.patience,
            clock: clock
        )
        let host = CompletionRequest.Host(
            models: [model.name] + configuration.aliases,
            contextLength: model.contextLength
        )
        let context = HTTPConnection<Never>.Context(
            router: router(host, since: clock.now),
            timing: configuration.timing,
            clock: clock
        ) { _, _ in throw VoiceError(.fault, "this server has no WebSocket") }
        let listener = HTTPListener(
            host: configuration.host,
            port: configuration.port,
            context: context,
            connections: connections
        )
        try await listener.run(onReady: onReady) { connection in
            for await case .exchange(let exchange) in connection.arrivals { await answer(exchange, host, pool) }
        }
        logger.debug("server stopped")
    }

    private func router(_ host: CompletionRequest.Host, since started: Duration) -> CompletionRouter {
        CompletionRouter(
            origins: OriginPolicy(allowed: configuration.allowedOrigins, host: configuration.host),
            sessions: sessions,
            requestLimit: configuration.requestLimit,
            host: host,
            loaded: Self.unixTime,
            key: configuration.key,
            counts: metrics.service,
            health: {
                ServiceHealth(
                    version: version,
                    model: model.name,
                    uptime: clock.now - started,
                    sessions: sessions.counts,
                    connections: connections.counts
                ).json
            },
            metricsText: { registry.text }
        )
    }

    /// Answers a request for a reply.
    private func answer(_ exchange: HTTPExchange, _ host: CompletionRequest.Host, _ pool: ChatPool) async {
        let answer = CompletionAnswer(
            host: host,
            pool: pool,
            form: CompletionForm(id: "chatcmpl-\(Self.name)", created: Self.unixTime, model: model.name),
            seed: .random(in: .min ... .max),
            makeCallID: { "call_\(Self.name)" },
            metrics: metrics,
            clock: clock,
            exchange: exchange
        )
        let sessions = ServiceSessions(metrics: metrics.service, logger: logger, clock: clock)
        await sessions.follow(exchange) { await answer.run() }
    }

    private static var unixTime: Int { Int(Date().timeIntervalSince1970) }

    private static var name: String { UUID().uuidString.lowercased().filter { $0 != "-" } }
}
