internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
internal import ServerPool
internal import Synchronization
internal import VoiceCore

/// A server with OpenAI's interface, and what was learnt of it.
final class CompletionServer: Sendable {
    /// A server that has not listed its models after this is none, however long its replies may take.
    private static let longestListing = Duration.seconds(10)
    /// A server that lists more than this is none.
    private static let longestList = 4 << 20
    /// What is read of an answer that reports an error.
    private static let longestError = 16 << 10

    let address: CompletionAddress
    let configuration: RemoteLanguageModel.Configuration
    private let client: HTTPClient
    private let knowsExtensions = Mutex(true)
    private let known = Mutex<String?>(nil)
    private let continuing = Mutex(Continuing.unknown)

    /// Whether a server goes on with a message that it is sent the beginning of.
    enum Continuing: Sendable {
        /// It may take the message for a whole one, and begin another.
        case unknown
        /// It does, but may say the beginning again.
        case loosely
        case exactly

        /// - Parameter owner: what a server writes into `owned_by` of its models. vLLM (entrypoints/openai/protocol.py) and SGLang
        ///   (entrypoints/openai/protocol.py) have the fields `continue_final_message` and `add_generation_prompt`, and so has `serve-llm`;
        ///   llama-server (tools/server/README.md) needs none, and what it repeats has changed with its versions.
        init(owner: String?) {
            switch owner {
            case "vllm", "sglang", "repartee": self = .exactly
            case "llamacpp": self = .loosely
            default: self = .unknown
            }
        }
    }

    /// - Parameter isAlone: whether it is worth waiting for it, because there is no other.
    init(address: CompletionAddress, configuration: RemoteLanguageModel.Configuration, isAlone: Bool = true) {
        self.address = address
        self.configuration = configuration
        client = isAlone ? .patient : .impatient
    }

    /// Whether the server takes what OpenAI's own does not know; false once it refused that.
    var isExtended: Bool {
        get { knowsExtensions.withLock { $0 } }
        set { knowsExtensions.withLock { $0 = newValue } }
    }

    /// Whether it goes on with messages, as far as is known.
    var continues: Continuing {
        get { continuing.withLock { $0 } }
        set { continuing.withLock { $0 = newValue } }
    }

    /// The name of the model there: the one that is wanted, else the first that it lists. Asked once.
    /// - Throws: ``VoiceError/Code/unavailable`` when it cannot be reached, or has not got the model.
    func model() async throws(CompletionFailure) -> String {
        if let name = known.withLock({ $0 }) { return name }
        let models = try await models()
        let name = try Self.choose(configuration.model, among: models.map(\.name), on: address)
        continues = Continuing(owner: models.first { $0.name == name }?.owner)
        known.withLock { $0 = name }
        return name
    }

    private static func choose(
        _ wanted: String?,
        among models: [String],
        on address: CompletionAddress
    ) throws(CompletionFailure) -> String {
        func failure(_ words: String) -> CompletionFailure {
            CompletionFailure(VoiceError(.unavailable, words), .unsuitable)
        }
        guard let wanted, !wanted.isEmpty else {
            guard let first = models.first else { throw failure("\(address) lists no language model: name one") }
            return first
        }
        // A server that lists nothing may have it all the same.
        guard models.isEmpty || models.contains(wanted) else {
            let there = models.prefix(20).joined(separator: ", ")
            throw failure("the language model '\(wanted)' is not on \(address); it has \(there)")
        }
        return wanted
    }

    private struct Listed: Sendable {
        var name: String
        var owner: String?
    }

    /// Its models.
    private func models() async throws(CompletionFailure) -> [Listed] {
        do {
            return try await within(min(configuration.firstTokenTimeout, Self.longestListing)) {
                let response = try await self.client.execute(
                    self.request("/models", .GET),
                    deadline: .distantFuture
                )
                guard response.status == .ok else { throw try await self.failure(response) }
                let body = try await response.body.collect(upTo: Self.longestList)
                let list = JSONValue(json: String(buffer: body))?["data"]?.elements ?? []
                return list.compactMap { model in
                    model["id"]?.text.map { Listed(name: $0, owner: model["owned_by"]?.text) }
                }
            }
        } catch {
            throw wrapped(error)
        }
    }

    /// Begins a reply.
    /// - Returns: the answer, whose body is a stream of events.
    /// - Throws: ``VoiceError/Code/unavailable`` when the server cannot be reached or refuses.
    func complete(_ wanted: CompletionRequest) async throws(CompletionFailure) -> HTTPClientResponse {
        var wanted = wanted
        wanted.extended = isExtended
        do {
            var response = try await send(wanted)
            // Without them it would begin a message of its own.
            let mayReduce = wanted.extended && !wanted.options.continuesLastMessage
            if [.badRequest, .unprocessableEntity].contains(response.status), mayReduce {
                let refusal = try await failure(response)
                wanted.extended = false
                response = try await send(wanted)
                // The same refusal without them: it was for something else.
                guard response.status == .ok else { throw refusal }
                isExtended = false
            }
            guard response.status == .ok else { throw try await failure(response) }
            return response
        } catch {
            throw wrapped(error)
        }
    }

    private func send(_ wanted: CompletionRequest) async throws -> HTTPClientResponse {
        let body = ByteBuffer(string: wanted.body.json)
        return try await within(configuration.firstTokenTimeout) {
            var request = self.request("/chat/completions", .POST)
            request.headers.add(name: "Content-Type", value: "application/json")
            request.headers.add(name: "Accept", value: "text/event-stream")
            request.body = .bytes(body)
            return try await self.client.execute(request, deadline: .distantFuture)
        }
    }

    /// Does something that the server must not take too long for.
    /// - Parameters:
    ///   - lease: of the server, where it is one of several.
    ///   - patience: after so much time the pool is told that the server is slow, and looks after it.
    /// - Throws: ``VoiceError/Code/unavailable`` when it does, or is found dead; what was begun is cancelled.
    func within<Result: Sendable>(
        _ limit: Duration,
        of lease: ServerLease? = nil,
        patience: Duration = .seconds(1),
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                if let lease, patience < limit {
                    try await Task.sleep(for: patience)
                    lease.note(.slow)
                    try await Task.sleep(for: limit - patience)
                } else {
                    try await Task.sleep(for: limit)
                }
                return nil
            }
            if let lease {
                group.addTask {
                    await lease.alarm.wait()
                    try Task.checkCancellation()
                    return nil
                }
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                let why = lease?.isLost == true ? "does not answer its checks" : "was silent for \(limit)"
                throw CompletionFailure(VoiceError(.unavailable, "the language model at \(address) \(why)"), .failed)
            }
            return result
        }
    }

    private func request(_ path: String, _ method: HTTPMethod) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: address.base + path)
        request.method = method
        if let key = configuration.key, !key.isEmpty {
            request.headers.add(name: "Authorization", value: "Bearer \(key)")
        }
        return request
    }

    /// An answer that reports an error, in the server's own words.
    private func failure(_ response: HTTPClientResponse) async throws -> CompletionFailure {
        var text = ""
        for try await piece in response.body {
            text += String(buffer: piece)
            if text.utf8.count > Self.longestError { break }
        }
        let error = JSONValue(json: text)
        let message = error?["error"]?["message"]?.text ?? error?["message"]?.text ?? error?["detail"]?.text ?? text
        let said = message.prefix(300).split(whereSeparator: \.isNewline).joined(separator: " ")
        let advice = [.unauthorized, .forbidden].contains(response.status) ? "; give the right key" : ""
        return CompletionFailure(
            VoiceError(.unavailable, "the language model at \(address) answers \(response.status): \(said)\(advice)"),
            CompletionFailure.Kind(response.status, retryAfter: response.headers.first(name: "Retry-After"))
        )
    }

    /// An error with the server's address, without the libraries' names.
    func wrapped(_ error: any Error) -> CompletionFailure {
        func unreachable(_ why: String, _ cause: (any Error)? = nil) -> CompletionFailure {
            let message = "the language model at \(address) cannot be reached" + why
            return CompletionFailure(VoiceError(.unavailable, message, cause: cause), .failed)
        }
        let cancelled = CompletionFailure(VoiceError(.cancelled, "The reply was cancelled."), .request)
        return switch error {
        case let error as CompletionFailure: error
        case let error as VoiceError: CompletionFailure(error, .failed)
        case is CancellationError: cancelled
        case let error as HTTPClientError where error == .cancelled: cancelled
        case let error as HTTPClientError: unreachable(": \(error.shortDescription)")
        default: unreachable("", error)
        }
    }
}
