internal import AsyncHTTPClient
internal import NIOCore
internal import ServerPool
internal import VoiceCore
internal import WebClient

/// One reply on its way from a server, pulled by its consumer.
///
/// One task calls it, one call at a time. Where there is one server, it is asked again once if it failed before its first piece: after that,
/// what was said cannot be taken back. Where there are others, another one is asked, never the same twice; behind the first piece it is told
/// what was said and goes on with it.
actor RemoteReply {
    /// What is asked.
    struct Question: Sendable {
        var messages: [ChatMessage]
        var sampling: SamplingOptions
        var options: ChatOptions
    }

    private static let attempts = 2
    /// Servers of a pool that are asked for one reply.
    private static let mostServers = 4
    /// A server of a pool that is silent for longer is looked after.
    private static let patience = Duration.seconds(1)

    private let servers: CompletionServers
    private let home: ChatHome
    private let question: Question
    private let number: Int
    private var place: CompletionServers.Place?
    /// Servers that failed with this reply, and how the last one did.
    private var failed: Set<Int> = []
    private var failure: CompletionFailure?
    private var body: HTTPClientResponse.Body.AsyncIterator?
    private var events = ServerSentEvents()
    private var stream: CompletionStream
    private var waiting: ArraySlice<ReplyEvent> = []
    private var attempt = 0
    /// Whether anything of this attempt came.
    private var hasBegun = false
    private var soFar = ReplySoFar()
    private var pieces = 0
    private var isOver = false

    init(by servers: CompletionServers, at home: ChatHome, _ question: Question, number: Int) {
        self.servers = servers
        self.home = home
        self.question = question
        self.number = number
        stream = CompletionStream(callPrefix: "call_\(number)_", reasoning: question.options.reasoning)
    }

    /// The next event; nil after the last one and after cancellation.
    /// - Throws: ``VoiceError/Code/unavailable`` when the server fails, is silent for too long or breaks off,
    ///   ``VoiceError/Code/malformedInput`` when what it sends makes no sense.
    func next() async throws(VoiceError) -> ReplyEvent? {
        while true {
            if let event = waiting.popFirst() { return event }
            guard !isOver else { return nil }
            do throws(CompletionFailure) {
                try await advance()
            } catch {
                body = nil
                guard !Task.isCancelled else {
                    isOver = true
                    return nil
                }
                guard mayGoOn(after: error) else {
                    isOver = true
                    throw error.error
                }
            }
        }
    }

    // MARK: - Failures

    /// Prepares another attempt.
    /// - Returns: false if there is none.
    private func mayGoOn(after failure: CompletionFailure) -> Bool {
        guard servers.pool != nil else {
            return failure.error.code == .unavailable && !hasBegun && attempt < Self.attempts
        }
        self.failure = failure
        guard let place, let server = place.lease?.server else { return false }
        self.place = nil
        failed.insert(server)
        guard servers.note(failure, of: place), attempt < Self.mostServers else { return false }
        waiting.append(.delayed)
        return true
    }

    // MARK: - The server's words

    /// Bytes; nil at the end.
    private struct Piece: Sendable {
        var bytes: ByteBuffer?
    }

    private func advance() async throws(CompletionFailure) {
        if body == nil { try await begin() }
        guard let place else { throw CompletionFailure(servers.failure, .request) }
        let configuration = servers.configuration
        let limit = hasBegun ? configuration.tokenTimeout : configuration.firstTokenTimeout
        guard let piece = try await piece(of: place, within: limit) else {
            // The server's end without its word for it is a connection that broke.
            guard stream.isComplete else {
                throw CompletionFailure(
                    VoiceError(
                        .unavailable,
                        "the language model at \(place.server.address) broke off in the middle of a reply"
                    ),
                    .failed
                )
            }
            isOver = true
            give(stream.finish())
            place.lease?.note(.served)
            return
        }
        place.lease?.note(.heard)
        do throws(VoiceError) {
            for data in try events.feed(piece.readableBytesView) { give(try stream.feed(data)) }
        } catch {
            let words = "the language model at \(place.server.address): \(error.message)"
            throw CompletionFailure(VoiceError(error.code, words), .failed)
        }
    }

    /// Asks a server.
    private func begin() async throws(CompletionFailure) {
        guard let place = servers.place(preferring: home.server, except: failed) else {
            throw failure ?? CompletionFailure(servers.failure, .request)
        }
        if attempt > 0 { servers.pool?.failedOver() }
        self.place = place
        attempt += 1
        hasBegun = false
        events = ServerSentEvents()
        do {
            try await ask(place)
        } catch  where error.kind == .request && !Task.isCancelled && asksForRest(of: place) {
            // An older one, or a template that cannot: it is asked in words from now on.
            place.server.continues = .unknown
            try await ask(place)
        }
        place.lease?.note(.heard)
    }

    /// Whether the server is sent the beginning of a message to go on with.
    private func asksForRest(of place: CompletionServers.Place) -> Bool {
        !soFar.said.isEmpty && place.server.continues != .unknown
    }

    private func ask(_ place: CompletionServers.Place) async throws(CompletionFailure) {
        let model = try await place.server.model()
        let continues = place.server.continues
        if !soFar.said.isEmpty { soFar.breakOff(for: continues) }
        let wanted = request(model, continues)
        stream = CompletionStream(callPrefix: "call_\(number)_", reasoning: wanted.options.reasoning)
        do {
            let patience = Self.patience
            let response = try await place.server.within(
                servers.configuration.firstTokenTimeout,
                of: place.lease,
                patience: patience
            ) { try await place.server.complete(wanted) }
            body = response.body.makeAsyncIterator()
        } catch {
            throw place.server.wrapped(error)
        }
    }

    /// What a server is asked: the question, or to go on.
    private func request(_ model: String, _ continues: CompletionServer.Continuing) -> CompletionRequest {
        var (messages, sampling, options) = (question.messages, question.sampling, question.options)
        if !soFar.said.isEmpty {
            messages = soFar.messages(after: messages, for: continues)
            sampling = sampling.rest(after: pieces)
            options.continuesLastMessage = continues != .unknown
            if options.continuesLastMessage { options.reasoning = .off }
        }
        let room = servers.configuration.contextLength - sampling.maxTokens
        return CompletionRequest(
            model: model,
            messages: RemoteWindow.fitting(messages, tokens: room),
            sampling: sampling,
            options: options,
            extended: true
        )
    }

    /// Hands events on. Of a pool's servers whole words only, because another one may have to go on behind them.
    private func give(_ events: [ReplyEvent]) {
        guard !events.isEmpty else { return }
        hasBegun = true
        guard let lease = place?.lease else { return waiting += events }
        home.move(to: lease.server)
        for event in events {
            switch event {
            case .text(let piece):
                pieces += 1
                say(soFar.feed(piece))
            case .finished, .toolCall, .malformedCall:
                say(soFar.finish())
                waiting.append(event)
            case .reasoning, .delayed, .completeness: waiting.append(event)
            }
        }
    }

    private func say(_ text: String) {
        if !text.isEmpty { waiting.append(.text(text)) }
    }

    /// The next bytes, or nil at the end; a server that is silent for too long has failed.
    private func piece(
        of place: CompletionServers.Place,
        within limit: Duration
    ) async throws(CompletionFailure) -> ByteBuffer? {
        do {
            return try await place.server.within(limit, of: place.lease, patience: Self.patience) {
                try await self.read()
            }
            .bytes
        } catch {
            throw place.server.wrapped(error)
        }
    }

    private func read() async throws -> Piece {
        guard var body else { return Piece() }
        let piece = try await body.next(isolation: self)
        self.body = body
        return Piece(bytes: piece)
    }
}
