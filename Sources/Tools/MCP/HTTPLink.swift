internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import VoiceCore
internal import WebClient

/// The way to an address: each message is a request of its own; answers are JSON or a stream of events.
///
/// Source: specification 2025-11-25, "Transports", "Streamable HTTP".
final class HTTPLink: MCPLink {
    private struct State {
        var session: String?
        var version: String?
    }

    private let url: String
    private let headers: [(name: String, value: String)]
    private let state = Mutex(State())
    /// Told once when the session has begun.
    private let beginning = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
    /// Told once when the server has forgotten the session.
    private let end = AsyncStream.makeStream(of: VoiceError.self, bufferingPolicy: .bufferingOldest(1))

    /// How long the last words may take.
    private static let farewell = TimeAmount.seconds(2)
    /// Between two attempts to listen for what the server says unasked.
    private static let pause = Duration.seconds(5)

    init(url: String, headers: [(name: String, value: String)]) {
        self.url = url
        self.headers = headers
    }

    func run(_ receive: @escaping Receiver) async throws(VoiceError) {
        let failure = await withTaskGroup(of: VoiceError?.self) { group in
            group.addTask {
                for await _ in self.beginning.stream { await self.listen(receive) }
                return nil
            }
            group.addTask {
                for await failure in self.end.stream { return failure }
                return VoiceError(.cancelled, "was left")
            }
            defer { group.cancelAll() }
            while let ended = await group.next() {
                if let ended { return ended }
            }
            return VoiceError(.cancelled, "was left")
        }
        if !(failure.cause is MCPSessionGone) { await leave() }
        throw failure
    }

    func send(_ message: String, _ receive: @escaping Receiver) async throws(VoiceError) -> Bool {
        do {
            var request = request(.POST)
            request.headers.add(name: "Content-Type", value: "application/json")
            request.headers.add(name: "Accept", value: "application/json, text/event-stream")
            request.body = .bytes(ByteBuffer(string: message))
            let hadSession = state.withLock { $0.session != nil }
            let response = try await ToolHTTP.client.execute(request, deadline: .distantFuture)
            if response.status == .notFound, hadSession { throw forgotten() }
            guard (200..<300).contains(response.status.code) else {
                throw VoiceError(.unavailable, await ToolHTTP.refusal(response))
            }
            remember(response.headers.first(name: "Mcp-Session-Id"))
            do { try await read(response, receive) } catch {
                guard !(error is VoiceError), !Task.isCancelled else { throw error }
                throw VoiceError(.unavailable, "broke off in the middle of an answer", cause: error)
            }
            return false
        } catch {
            throw bare(error)
        }
    }

    func post(_ message: String) {
        _ = farewell(.POST, message)
    }

    func agreed(version: String) {
        state.withLock { $0.version = version }
        beginning.continuation.yield()
        beginning.continuation.finish()
    }

    /// Gives what an answer holds, message by message.
    private func read(_ response: HTTPClientResponse, _ receive: Receiver) async throws {
        let kind = response.headers.first(name: "Content-Type")?.lowercased() ?? ""
        if kind.hasPrefix("text/event-stream") {
            var events = ServerSentEvents(longest: MCPLimits.message)
            for try await piece in response.body {
                let messages: [String]
                do throws(VoiceError) { messages = try events.feed(piece.readableBytesView) } catch {
                    throw VoiceError(error.code, "answers what cannot be read: \(error.message)")
                }
                for message in messages where !message.isEmpty { await receive(message) }
            }
        } else if kind.hasPrefix("application/json") {
            await receive(String(buffer: try await response.body.collect(upTo: MCPLimits.message)))
        } else if response.status == .ok {
            throw VoiceError(.malformedInput, "answers with '\(kind.prefix(60))' instead of JSON or events")
        }
    }

    /// Listens for what the server says unasked, where it offers that.
    private func listen(_ receive: Receiver) async {
        while !Task.isCancelled {
            var request = request(.GET)
            request.headers.add(name: "Accept", value: "text/event-stream")
            if let response = try? await ToolHTTP.client.execute(request, deadline: .distantFuture) {
                // 405: it has nothing to say unasked.
                guard response.status == .ok else { return }
                try? await read(response, receive)
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func request(_ method: HTTPMethod) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = own()
        return request
    }

    private func own() -> HTTPHeaders {
        var own = HTTPHeaders()
        for (name, value) in headers { own.replaceOrAdd(name: name, value: value) }
        let state = state.withLock { $0 }
        if let session = state.session { own.replaceOrAdd(name: "Mcp-Session-Id", value: session) }
        if let version = state.version { own.replaceOrAdd(name: "MCP-Protocol-Version", value: version) }
        return own
    }

    /// Keeps the session's name, which is visible ASCII.
    private func remember(_ session: String?) {
        guard let session, !session.isEmpty, session.utf8.count <= 1024,
            session.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return }
        state.withLock { if $0.session == nil { $0.session = session } }
    }

    private func forgotten() -> VoiceError {
        let failure = VoiceError(.unavailable, "has forgotten the session", cause: MCPSessionGone())
        end.continuation.yield(failure)
        end.continuation.finish()
        return failure
    }

    /// Tells the server that the session is over, where it has one.
    private func leave() async {
        guard state.withLock({ $0.session != nil }) else { return }
        _ = try? await farewell(.DELETE, nil)?.get()
    }

    /// Sends something in the background, which a cancelled task does not stop.
    private func farewell(_ method: HTTPMethod, _ message: String?) -> EventLoopFuture<Void>? {
        var headers = own()
        headers.add(name: "Accept", value: "application/json, text/event-stream")
        if message != nil { headers.add(name: "Content-Type", value: "application/json") }
        let body = message.map { HTTPClient.Body.string($0) }
        guard let request = try? HTTPClient.Request(url: url, method: method, headers: headers, body: body) else {
            return nil
        }
        let answer = ResponseAccumulator(request: request, maxBodySize: 64 << 10)
        return ToolHTTP.client.execute(request: request, delegate: answer, deadline: .now() + Self.farewell)
            .futureResult.map { _ in }
    }

    /// An error as a sentence after the server's title.
    private func bare(_ error: any Error) -> VoiceError {
        switch error {
        case let error as VoiceError: error
        case is CancellationError: VoiceError(.cancelled, "was not waited for")
        case let error as HTTPClientError where error == .cancelled: VoiceError(.cancelled, "was not waited for")
        case let error as HTTPClientError:
            VoiceError(.unavailable, "cannot be reached at \(url): \(error.shortDescription)")
        default: VoiceError(.unavailable, "cannot be reached at \(url)", cause: error)
        }
    }
}
