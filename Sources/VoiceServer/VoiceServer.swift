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
            webRTC: configuration.webRTC,
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
        let calls = try await openWebRTC()
        async let meetings: Void = meet(calls)
        let outcome: Result<Void, VoiceError>
        do throws(VoiceError) {
            try await listener.run(onReady: onReady) { connection in
                for await arrival in connection.arrivals {
                    switch arrival {
                    case .exchange(let exchange): exchange.respond(await answer(exchange, calls))
                    case .webSocket(let webSocket, _): await converse(over: webSocket)
                    }
                }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await calls?.close()
        await meetings
        try outcome.get()
        logger.debug("server stopped")
    }

    // MARK: - Requests

    /// Answers a request with content.
    private func answer(_ exchange: HTTPExchange, _ calls: WebRTCPort?) async -> Response {
        let head = exchange.head
        guard let address = configuration.publicURL.flatMap({ PublicAddress($0) }) ?? PublicAddress(head) else {
            return .line(.badRequest, "the header Host is malformed", closes: true)
        }
        let content = exchange.body.flatMap { Array($0.readableBytesView) }
        let path = head.uri.prefix { $0 != "?" }
        guard path == "/" else {
            let answer =
                if SignallingRequest.isAddress(String(path)) {
                    await self.answer(head.method, content, calls)
                } else {
                    StartRequest(content).response(at: address, configuration.webRTC)
                }
            return answer.shared(with: head)
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

    /// Answers a WebRTC client.
    private func answer(_ method: HTTPMethod, _ content: [UInt8], _ calls: WebRTCPort?) async -> Response {
        guard let calls else { return .detail(.notFound, "WebRTC is switched off here.") }
        do throws(VoiceError) {
            switch try SignallingRequest(method, content) {
            case .candidates(let id):
                guard await calls.knows(id) else {
                    return .detail(.notFound, "There is no connection \(id.prefix(64)).")
                }
                return .json(ByteBuffer(string: #"{"status":"success"}"#))
            case .offer(let offer, let id, let restarts):
                let counts = sessions.counts
                if id == nil, counts.active >= counts.maximum {
                    return .detail(
                        .serviceUnavailable,
                        "All \(counts.maximum) conversations are taken; try again later."
                    )
                }
                let (answer, id) = try await calls.answer(offer, id: id, restarts: restarts)
                let content: JSONValue = ["sdp": .string(answer), "type": "answer", "pc_id": .string(id)]
                return .json(ByteBuffer(string: content.json))
            }
        } catch {
            let status: HTTPResponseStatus = error.code == .malformedInput ? .badRequest : .serviceUnavailable
            return .detail(status, error.message)
        }
    }

    // MARK: - Conversations

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

    /// Follows all WebRTC connections to their ends.
    private func meet(_ calls: WebRTCPort?) async {
        guard let calls else { return }
        await withDiscardingTaskGroup { group in
            for await connection in calls.arrivals { group.addTask { await converse(over: connection) } }
        }
    }

    /// Holds a conversation over WebRTC once the client can hear it.
    private func converse(over connection: WebRTCConnection) async {
        guard (try? await connection.greeting.get()) == true, !Task.isCancelled else { return }
        await hold(connection, .webRTC) { id, description in
            connection.accept(session: id, models: description.models, advice: description.advice)
        }
    }

    /// Holds a conversation over a WebSocket once the visitor has said who it is.
    private func converse(over webSocket: WebSocketConnection) async {
        guard let visitor = try? await webSocket.visitor.get(), !Task.isCancelled else { return }
        await hold(webSocket, visitor) { id, description in
            webSocket.accept(visitor, session: id, models: description.models, advice: description.advice)
        }
    }

    /// Holds a conversation, if there is room.
    private func hold(
        _ meeting: some Meeting,
        _ visitor: Visitor,
        accept: (String, ServerDescription) -> any Transport
    ) async {
        guard sessions.take() else {
            logger.info("session refused", metadata: ["sessions.maximum": "\(configuration.maxSessions)"])
            return meeting.close(.full("all \(configuration.maxSessions) conversations are taken; try again later"))
        }
        defer { sessions.giveBack() }
        let id = Self.makeID()
        let transport = accept(id, describe())
        let info = SessionInfo(id: id, visitor, playout: transport.playoutRate, logger)
        let began = clock.now
        info.logger.info("session began", metadata: ["session.kind": "\(info.kind)"])
        await withTaskGroup { group in
            group.addTask {
                let reason = await run(info, transport, meeting)
                if case .telephone(let call) = visitor { await end(call, reason, meeting, info.logger) }
                meeting.close(reason)
            }
            group.addTask {
                try? await meeting.closed.get()
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
        _ transport: any Transport,
        _ meeting: some Meeting
    ) async -> CloseReason {
        do {
            try await runSession(transport, info)
            return Task.isCancelled ? .shuttingDown : .ended
        } catch {
            if Task.isCancelled { return .shuttingDown }
            // Most likely it wanted to say something to a page that has just gone.
            if meeting.isClosing { return .ended }
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
        _ meeting: some Meeting,
        _ logger: Logger
    ) async {
        guard reason != .ended || !meeting.isClosing, let hangUp = HangUp(call, configuration.telephony) else {
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

/// A connection over which a conversation can be held.
private protocol Meeting: Sendable {
    /// Succeeds when it is over.
    var closed: EventLoopFuture<Void> { get }
    /// True once either side has begun to end it.
    var isClosing: Bool { get }
    /// Ends it in good order.
    func close(_ reason: CloseReason)
}

extension WebSocketConnection: Meeting {}
extension WebRTCConnection: Meeting {}
