internal import AsyncHTTPClient
internal import NIOCore
internal import VoiceCore
internal import WebClient

/// One reply on its way from a server, pulled by its consumer.
///
/// One task calls it, one call at a time. It is asked for again once if it failed before its first piece: after that, what was
/// said cannot be taken back.
actor RemoteReply {
    private static let attempts = 2

    private let server: CompletionServer
    private let request: CompletionRequest
    private let number: Int
    private var body: HTTPClientResponse.Body.AsyncIterator?
    private var events = ServerSentEvents()
    private var stream: CompletionStream
    private var waiting: ArraySlice<ReplyEvent> = []
    private var attempt = 0
    private var hasBegun = false
    private var isOver = false

    init(server: CompletionServer, request: CompletionRequest, number: Int) {
        self.server = server
        self.request = request
        self.number = number
        stream = CompletionStream(callPrefix: "call_\(number)_", reasoning: request.options.reasoning)
    }

    /// The next event; nil after the last one and after cancellation.
    /// - Throws: ``VoiceError/Code/unavailable`` when the server fails, is silent for too long or breaks off,
    ///   ``VoiceError/Code/malformedInput`` when what it sends makes no sense.
    func next() async throws(VoiceError) -> ReplyEvent? {
        while true {
            if let event = waiting.popFirst() {
                hasBegun = true
                return event
            }
            guard !isOver else { return nil }
            do throws(VoiceError) {
                try await advance()
            } catch {
                body = nil
                guard !Task.isCancelled else {
                    isOver = true
                    return nil
                }
                guard error.code == .unavailable, !hasBegun, attempt < Self.attempts else {
                    isOver = true
                    throw error
                }
            }
        }
    }

    /// Bytes; nil at the end.
    private struct Piece: Sendable {
        var bytes: ByteBuffer?
    }

    private func advance() async throws(VoiceError) {
        if body == nil {
            attempt += 1
            events = ServerSentEvents()
            stream = CompletionStream(callPrefix: "call_\(number)_", reasoning: request.options.reasoning)
            body = try await server.complete(request).body.makeAsyncIterator()
        }
        let limit = hasBegun ? server.configuration.tokenTimeout : server.configuration.firstTokenTimeout
        guard let piece = try await piece(within: limit) else {
            // The server's end without its word for it is a connection that broke.
            guard stream.isComplete else {
                throw VoiceError(
                    .unavailable,
                    "the language model at \(server.address) broke off in the middle of a reply"
                )
            }
            isOver = true
            waiting = stream.finish()[...]
            return
        }
        do throws(VoiceError) {
            for data in try events.feed(piece.readableBytesView) { waiting += try stream.feed(data) }
        } catch {
            throw VoiceError(error.code, "the language model at \(server.address): \(error.message)")
        }
    }

    /// The next bytes, or nil at the end; a server that is silent for too long has failed.
    private func piece(within limit: Duration) async throws(VoiceError) -> ByteBuffer? {
        do {
            return try await server.within(limit) { try await self.read() }.bytes
        } catch {
            throw server.wrapped(error)
        }
    }

    private func read() async throws -> Piece {
        guard var body else { return Piece() }
        let piece = try await body.next(isolation: self)
        self.body = body
        return Piece(bytes: piece)
    }
}
