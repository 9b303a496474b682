internal import Cluster
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import Transports
public import VoiceCore

/// The network's side of the agent: one port with the page, its health and a WebSocket for each conversation, be it with a
/// page, a Pipecat client or a telephone.
///
/// It knows nothing of conversations but a closure that holds one over a transport. What happens in one session, a
/// failure, a flood, a peer that stopped reading, never touches another: each is a child task with bounded queues.
public struct VoiceServer: Sendable {
    let configuration: Configuration
    let logger: Logger
    let clock: any SessionClock
    let describe: @Sendable () -> ServerDescription
    let runSession: @Sendable (any Transport, SessionInfo) async throws -> Void
    let connections: ConnectionRegistry
    let admission: Admission
    let metrics: SessionMetrics
    let directory: any SessionDirectory
    let live = LiveSessions()
    /// WebRTC clients that may come, by the names of their connections.
    let expected = ExpectedCalls()
    let counters = TransportCounters()
    let quiet = QuietMoments()
    private let exchanges = SessionSlots(limit: 64)
    private let wish: DrainWish

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
        metrics = SessionMetrics(factory: configuration.metrics)
        connections = ConnectionRegistry(limit: configuration.maxConnections)
        directory = configuration.directory ?? LocalDirectory(clock: clock)
        wish = DrainWish()
        admission = Admission(
            capacity: configuration.maxSessions,
            limits: Dictionary(
                configuration.keys.map {
                    ($0.name, .init(sessions: $0.maxSessions, startsPerMinute: $0.maxStartsPerMinute))
                }
            ) { first, _ in first },
            load: configuration.load,
            maximumLoad: configuration.maxLoad,
            clock: clock,
            metrics: metrics,
            worker: configuration.cluster?.worker
        )
    }

    /// Serves until the task is cancelled or ``drain()`` was called and the last conversation is over; then says goodbye to every
    /// page (close code 1001; after ``drain()`` 1012) and returns.
    ///
    /// To be called once.
    /// - Parameter onReady: called as soon as connections are accepted.
    /// - Throws: ``VoiceError/Code/unavailable`` if the port is in use, ``VoiceError/Code/usage`` if host or port cannot be
    ///   used or strangers would be let in, ``VoiceError/Code/missingInput`` without the page's files.
    public func run(onReady: @escaping @Sendable (Endpoint) async -> Void = { _ in }) async throws(VoiceError) {
        try check()
        let tls = try configuration.tls?.context()
        let door = Doorkeeper(
            keys: configuration.keys,
            mint: await TokenMint(
                secret: configuration.tokenSecret ?? configuration.cluster?.secret,
                date: configuration.date
            ),
            directory: directory
        )
        let router = try router(door)
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
            connections: connections,
            tls: tls
        )
        let calls = try await openWebRTC()
        let reception = Reception(server: self, router: router, door: door, calls: calls)
        async let meetings: Void = reception.meetCallers()
        async let _: Void = quiet.run(clock, configuration.whenQuiet)
        let outcome: Result<Void, VoiceError>
        do throws(VoiceError) {
            try await serve(listener, reception, onReady)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await calls?.close()
        await meetings
        try outcome.get()
        logger.debug("server stopped")
    }

    /// Takes no more conversations; ``run(onReady:)`` returns once those that are going on are over, or when
    /// ``Configuration/drainTimeout`` has passed and they were told goodbye. May be called from any task, at any time; once is enough.
    public func drain() {
        admission.drain()
        wish.make()
    }

    // MARK: -

    private func check() throws(VoiceError) {
        if let url = configuration.publicURL, PublicAddress(url) == nil {
            throw VoiceError(
                .usage,
                "\(url) is not the address of a server; write for example https://voice.example.org"
            )
        }
        try APIKey.check(configuration.keys)
        try configuration.cluster?.check()
        if let secret = configuration.tokenSecret, secret.utf8.count < 32 {
            throw VoiceError(
                .usage,
                "the secret of session tokens has fewer than 32 characters; 'openssl rand -hex 32' makes a good one"
            )
        }
        guard configuration.keys.isEmpty, !configuration.allowsStrangers, !OriginPolicy.isLocal(configuration.host)
        else {
            return
        }
        throw VoiceError(
            .usage,
            "listening on \(configuration.host) without an API key lets everybody talk to the agent; set server.api_keys or REPARTEE_API_KEYS, or say --insecure-public"
        )
    }

    private func router(_ door: Doorkeeper) throws(VoiceError) -> Router {
        let directory: String
        if let configured = configuration.playgroundDirectory {
            directory = configured
        } else {
            directory = try Playground.shippedDirectory()
        }
        let started = clock.now
        return Router(
            playground: try Playground(directory: directory),
            origins: OriginPolicy(allowed: configuration.allowedOrigins, host: configuration.host),
            exchanges: exchanges,
            handshakes: SessionSlots(limit: configuration.maxConnections),
            webRTC: configuration.webRTC,
            isWorker: configuration.cluster != nil,
            state: Router.StateOfServer(
                health: { health(since: started).json },
                metrics: { head throws(Refusal) in
                    _ = try door.owner(head)
                    metrics.note(
                        admission.counts,
                        level: admission.level,
                        utilisation: configuration.load(),
                        isDraining: admission.isDraining
                    )
                    return configuration.metrics.text
                },
                isReady: { !admission.isDraining }
            )
        )
    }

    /// Accepts connections until the server is to end.
    private func serve(
        _ listener: HTTPListener<WebSocketConnection>,
        _ reception: Reception,
        _ onReady: @escaping @Sendable (Endpoint) async -> Void
    ) async throws(VoiceError) {
        do {
            try await withThrowingTaskGroup { group in
                group.addTask {
                    let listened: @Sendable (Endpoint) async -> Void = { endpoint in
                        async let membership: Void = keepKnown(at: endpoint)
                        await onReady(endpoint)
                        await membership
                    }
                    try await listener.run(onReady: listened) { connection in await reception.receive(connection) }
                }
                group.addTask { await emptied() }
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "the server stopped")
        }
    }

    private func openWebRTC() async throws(VoiceError) -> WebRTCPort? {
        guard let settings = configuration.webRTC else { return nil }
        let port = settings.port(
            host: configuration.host,
            serverPort: configuration.port,
            sessions: configuration.maxSessions
        )
        // A port that is none is refused where connections are listened for.
        guard (0...Int(UInt16.max)).contains(port.port) else { return nil }
        do {
            return try await WebRTCPort.open(
                port,
                about: RTVIAbout(library: "repartee", version: describe().version),
                models: { [describe] in describe().models },
                limits: configuration.limits,
                counters: counters,
                clock: clock
            )
        } catch {
            guard let cause = error.cause else { throw error }
            throw Endpoint.failure(of: cause, host: port.host, port: port.port)
        }
    }

    private func health(since started: Duration) -> Health {
        Health(
            describe(),
            isDraining: admission.isDraining,
            uptime: clock.now - started,
            sessions: admission.counts,
            connections: connections.counts,
            transports: counters.snapshot
        )
    }

    // MARK: - The end, and the others

    /// Returns when the server was asked to drain and nobody is here any more, or was told goodbye.
    private func emptied() async {
        await wish.wait()
        guard !Task.isCancelled else { return }
        logger.info("draining", metadata: ["sessions": "\(admission.counts.active)"])
        let pause = Duration.milliseconds(50)
        let deadline = clock.now + configuration.drainTimeout
        while !admission.isEmpty, clock.now < deadline {
            guard (try? await clock.sleep(until: clock.now + pause)) != nil else { return }
        }
        guard !admission.isEmpty else { return }
        logger.info("drain timeout", metadata: ["sessions": "\(admission.counts.active)"])
        wish.isOverdue = true
        live.deliver(.farewell(configuration.goodbye))
        let last = clock.now + configuration.goodbyeTimeout
        while !admission.isEmpty, clock.now < last {
            guard (try? await clock.sleep(until: clock.now + pause)) != nil else { return }
        }
    }

    /// Whether those who are here are told goodbye, because the server has no more time for them.
    var isOverdue: Bool { wish.isOverdue }

    /// Tells the others of the cluster how this worker is, about once a second, until the task is cancelled.
    private func keepKnown(at endpoint: Endpoint) async {
        guard let cluster = configuration.cluster else { return }
        let address = cluster.address ?? "\(endpoint.host):\(endpoint.port)"
        while !Task.isCancelled {
            let counts = admission.counts
            await directory.publish(
                WorkerStatus(
                    worker: cluster.worker,
                    address: address,
                    state: admission.isDraining ? .draining : .ready,
                    capacity: counts.maximum,
                    used: counts.active + counts.reserved,
                    load: admission.level,
                    version: describe().version
                )
            )
            let wasDraining = admission.isDraining
            let due = clock.now + .seconds(1)
            while clock.now < due, admission.isDraining == wasDraining {
                guard (try? await clock.sleep(until: min(due, clock.now + .milliseconds(50)))) != nil else { return }
            }
        }
    }
}

/// The wish that a server ends when nobody is there any more.
private final class DrainWish: Sendable {
    private let signal = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
    private let overdue = Atomic(false)

    /// Whether the time for it is over.
    var isOverdue: Bool {
        get { overdue.load(ordering: .relaxed) }
        set { overdue.store(newValue, ordering: .relaxed) }
    }

    func make() { signal.continuation.finish() }

    /// Waits until the wish was made or the task is cancelled.
    func wait() async { for await _ in signal.stream {} }
}
