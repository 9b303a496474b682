internal import Logging
internal import VoiceCore

/// Keeps a server: connects, lists its tools, connects anew when the session ends. All conversations share it.
actor MCPKeeper {
    nonisolated let server: MCPServer
    private let version: String
    private let logger: Logger
    private let pause: @Sendable (Int) -> Duration
    private let connect: @Sendable () async throws(VoiceError) -> any MCPLink
    private var connection: MCPConnection?
    /// Why there is none.
    private var failure: VoiceError?
    private var waiting: [AsyncStream<Void>.Continuation] = []
    /// What it said of its tools last. They stay when the session ends: calls then wait for the next one.
    private(set) var tools: [JSONValue] = []
    /// Counts the lists.
    private(set) var generation = 0

    /// How long a call waits for a session.
    private static let patience = Duration.seconds(10)
    /// The server is asked so often whether it is there, and may take so long to say so.
    private static let pings = (every: Duration.seconds(60), within: Duration.seconds(10))

    /// - Parameters:
    ///   - pause: how long to wait after so many failures in a row.
    ///   - connect: makes a way to the server.
    init(
        _ server: MCPServer,
        version: String,
        logger: Logger,
        pause: @escaping @Sendable (Int) -> Duration = MCPKeeper.usualPause,
        connect: @escaping @Sendable () async throws(VoiceError) -> any MCPLink
    ) {
        self.server = server
        self.version = version
        self.logger = logger
        self.pause = pause
        self.connect = connect
    }

    /// Half a second, then twice as long each time, at most 30 s.
    static let usualPause: @Sendable (Int) -> Duration = { .milliseconds(min(30_000, 500 << min($0 - 1, 6))) }

    /// Keeps the server until it is cancelled, then closes the session.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do throws(VoiceError) {
                try await hold()
            } catch {
                let hadBegun = connection != nil
                failures = hadBegun ? 1 : failures + 1
                connection = nil
                failure = error
                changed()
                if Task.isCancelled { return }
                logger.warning("An MCP server is not there", metadata: ["reason": "\(error.message)"])
                if hadBegun, error.cause is MCPSessionGone { continue }
                try? await Task.sleep(for: pause(failures))
            }
        }
    }

    /// Waits until the server is there for the first time.
    /// - Throws: why it is not, at the first failure.
    func ready() async throws(VoiceError) {
        while connection == nil {
            if let failure { throw failure }
            try await change()
        }
    }

    /// Calls a tool by the server's name for it, in the next session if there is none.
    func call(
        _ tool: String,
        _ arguments: JSONObject,
        within limit: Duration,
        progress: @escaping @Sendable (String) -> Void
    ) async throws(VoiceError) -> String {
        let first = try await session(other: nil)
        do throws(VoiceError) {
            return try await first.call(tool, arguments, within: limit, progress: progress)
        } catch {
            // A server that has forgotten the session has done nothing.
            guard error.cause is MCPSessionGone else { throw error }
            return try await session(other: first).call(tool, arguments, within: limit, progress: progress)
        }
    }

    /// The session, once there is another one than `old`.
    private func session(other old: MCPConnection?) async throws(VoiceError) -> MCPConnection {
        if let connection, connection !== old { return connection }
        do throws(VoiceError) {
            return try await ToolHTTP.within(Self.patience, server.title) { try await self.next(after: old) }
        } catch {
            throw failure ?? error
        }
    }

    private func next(after old: MCPConnection?) async throws(VoiceError) -> MCPConnection {
        while true {
            if let connection, connection !== old { return connection }
            try await change()
        }
    }

    /// One session, from its start to its end.
    private func hold() async throws(VoiceError) {
        let title = server.title
        let link: any MCPLink
        do throws(VoiceError) { link = try await connect() } catch {
            throw VoiceError(error.code, "\(title) \(error.message)", cause: error.cause)
        }
        let connection = MCPConnection(title: title, link: link, logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await connection.run() }
                group.addTask { try await self.use(connection) }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "\(title) ended the session")
        }
    }

    /// Begins a session, and keeps the list of tools and the server's presence up to date.
    private func use(_ connection: MCPConnection) async throws(VoiceError) {
        try await connection.initialize(version: version, within: server.startTimeout)
        try await list(connection)
        self.connection = connection
        failure = nil
        changed()
        logger.info(
            "An MCP server is there",
            metadata: ["server": "\(server.name)", "tools": "\(tools.count)"]
        )
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in connection.changes { try await self.list(connection) }
                    try await Task.sleep(for: .seconds(Int64.max / 4))
                }
                group.addTask {
                    while true {
                        try await Task.sleep(for: Self.pings.every)
                        try await connection.ping(within: Self.pings.within)
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "\(server.title) ended the session")
        }
    }

    private func list(_ connection: MCPConnection) async throws(VoiceError) {
        tools = try await connection.list(within: server.startTimeout)
        generation += 1
    }

    private func change() async throws(VoiceError) {
        let (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        waiting.append(change)
        for await _ in changes { break }
        if Task.isCancelled { throw VoiceError(.cancelled, "\(server.title): the call was cancelled") }
    }

    private func changed() {
        for waiter in waiting { waiter.yield() }
        waiting = []
    }
}
