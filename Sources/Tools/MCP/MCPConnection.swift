internal import Logging
internal import VoiceCore

/// One session with a server: who asked what, over one link. Calls of all conversations go on side by side.
actor MCPConnection {
    /// A request on its way.
    private struct Pending {
        var answer: AsyncStream<Result<MCPSession.Answer, VoiceError>>.Continuation
        var progress: @Sendable (String) -> Void
    }

    private let title: String
    private let link: any MCPLink
    private let logger: Logger
    private let toolsChanged: AsyncStream<Void>.Continuation
    /// One value each time that the server says that its tools are others; never more than one waits.
    nonisolated let changes: AsyncStream<Void>
    private var session = MCPSession()
    private var pending: [Int: Pending] = [:]
    /// Why nothing more can be asked.
    private var end: VoiceError?

    init(title: String, link: any MCPLink, logger: Logger) {
        self.title = title
        self.link = link
        self.logger = logger
        (changes, toolsChanged) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Holds the session until it is over; then what was asked has failed.
    /// - Throws: why it is over.
    func run() async throws(VoiceError) {
        var reason = VoiceError(.unavailable, "\(title) ended the session")
        do throws(VoiceError) {
            try await link.run { await self.receive($0) }
        } catch {
            reason = VoiceError(error.code, "\(title) \(error.message)", cause: error.cause)
        }
        end = reason
        for request in pending.values { request.answer.yield(.failure(reason)) }
        toolsChanged.finish()
        throw reason
    }

    /// The handshake (specification 2025-11-25, "Lifecycle").
    /// - Throws: ``VoiceError/Code/unavailable`` if it speaks no revision that we do, or has no tools.
    func initialize(version: String, within limit: Duration) async throws(VoiceError) {
        let result = try await request("initialize", MCPSession.greeting(version: version), within: limit)
        guard let revision = result["protocolVersion"]?.text, MCPSession.versions.contains(revision) else {
            throw VoiceError(
                .unavailable,
                "\(title) speaks revision '\(result["protocolVersion"]?.text?.prefix(40) ?? "none")' of MCP; "
                    + "Repartee speaks \(MCPSession.versions.joined(separator: ", "))"
            )
        }
        guard result["capabilities"]?["tools"] != nil else {
            throw VoiceError(.unavailable, "\(title) has no tools")
        }
        link.agreed(version: revision)
        let (link, title) = (link, title)
        try await ToolHTTP.within(limit, title) {
            _ = try await link.send(MCPSession.notification("notifications/initialized").json) { _ in }
        }
    }

    /// The server's tools as it describes them, of all pages.
    func list(within limit: Duration) async throws(VoiceError) -> [JSONValue] {
        var tools: [JSONValue] = []
        var cursor: String?
        for _ in 0..<MCPLimits.pages {
            let page = try await request("tools/list", cursor.map { ["cursor": .string($0)] } ?? [:], within: limit)
            guard let some = page["tools"]?.elements else {
                throw VoiceError(.malformedInput, "\(title) answers 'tools/list' without tools")
            }
            tools += some
            cursor = page["nextCursor"]?.text
            if cursor == nil || tools.count >= MCPLimits.tools { break }
        }
        if tools.count > MCPLimits.tools {
            logger.warning("Too many tools; the last ones are left out", metadata: ["server": "\(title)"])
        }
        return Array(tools.prefix(MCPLimits.tools))
    }

    /// Calls a tool. A cancelled task tells the server that nobody waits.
    /// - Parameter progress: takes what the server says meanwhile.
    func call(
        _ tool: String,
        _ arguments: JSONObject,
        within limit: Duration,
        progress: @escaping @Sendable (String) -> Void
    ) async throws(VoiceError) -> String {
        let result = try await request(
            "tools/call",
            ["name": .string(tool), "arguments": .object(arguments)],
            within: limit,
            progress: progress
        )
        return try MCPContent.text(of: result)
    }

    /// Asks whether the server is there; one that knows no such question is.
    func ping(within limit: Duration) async throws(VoiceError) {
        do throws(VoiceError) { _ = try await request("ping", [:], within: limit) } catch {
            guard error.cause is MCPRefusal else { throw error }
        }
    }

    private func request(
        _ method: String,
        _ params: JSONObject,
        within limit: Duration,
        progress: (@Sendable (String) -> Void)? = nil
    ) async throws(VoiceError) -> JSONValue {
        // Nothing was asked: the next session can be.
        if let end { throw VoiceError(end.code, end.message, cause: MCPSessionGone()) }
        guard pending.count < MCPLimits.calls else {
            throw VoiceError(.exhausted, "\(title) is busy with \(pending.count) other calls")
        }
        let (id, message) = session.request(method, params, reportsProgress: progress != nil)
        let (answers, answer) = AsyncStream.makeStream(
            of: Result<MCPSession.Answer, VoiceError>.self,
            bufferingPolicy: .bufferingOldest(1)
        )
        pending[id] = Pending(answer: answer, progress: progress ?? { _ in })
        defer {
            pending[id] = nil
            // The server must not be asked to forget a handshake.
            if let message = session.cancel(id, reason: "Nobody waits for it any more."), method != "initialize",
                end == nil
            {
                link.post(message.json)
            }
        }
        let (title, link) = (title, link)
        let receive: MCPLink.Receiver = { await self.receive($0) }
        return try await ToolHTTP.within(limit, title) {
            async let sent: Void = {
                do throws(VoiceError) {
                    if try await !link.send(message.json, receive) { answer.finish() }
                } catch {
                    answer.yield(.failure(VoiceError(error.code, "\(title) \(error.message)", cause: error.cause)))
                }
            }()
            for await reply in answers {
                switch try reply.get() {
                case .result(let result): return result
                case .failure(let code, let message): throw Self.refusal(title, code, message)
                }
            }
            try Task.checkCancellation()
            await sent
            throw VoiceError(.unavailable, "\(title) closed the answer to '\(method)' before it was there")
        }
    }

    private static func refusal(_ title: String, _ code: Int, _ message: String) -> VoiceError {
        VoiceError(
            .unavailable,
            "\(title) answers: \(message.prefix(500)) (\(code))",
            cause: MCPRefusal(code: code)
        )
    }

    private func receive(_ message: String) {
        for event in session.receive(message) {
            switch event {
            case .answered(let id, let answer): pending[id]?.answer.yield(.success(answer))
            case .send(let message): link.post(message.json)
            case .progress(let id, let words): pending[id]?.progress(words)
            case .toolsChanged: toolsChanged.yield()
            case .log(let words):
                logger.debug("An MCP server says something", metadata: ["server": "\(title)", "words": "\(words)"])
            case .ignored(let what):
                logger.debug("Ignored from an MCP server", metadata: ["server": "\(title)", "what": "\(what)"])
            }
        }
    }
}

/// A JSON-RPC error: the server is there and does not do what was asked.
struct MCPRefusal: Error, CustomStringConvertible {
    var code: Int
    var description: String { "JSON-RPC error \(code)" }
}
