internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1
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
    private let knowsExtensions = Mutex(true)

    init(address: CompletionAddress, configuration: RemoteLanguageModel.Configuration) {
        self.address = address
        self.configuration = configuration
    }

    /// Whether the server takes what OpenAI's own does not know; false once it refused that.
    var isExtended: Bool {
        get { knowsExtensions.withLock { $0 } }
        set { knowsExtensions.withLock { $0 = newValue } }
    }

    /// The names of its models.
    func models() async throws(VoiceError) -> [String] {
        do {
            return try await within(min(configuration.firstTokenTimeout, Self.longestListing)) {
                let response = try await HTTPClient.shared.execute(
                    self.request("/models", .GET),
                    deadline: .distantFuture
                )
                guard response.status == .ok else { throw try await self.failure(response) }
                let body = try await response.body.collect(upTo: Self.longestList)
                let list = JSONValue(json: String(buffer: body))?["data"]?.elements ?? []
                return list.compactMap { $0["id"]?.text }
            }
        } catch {
            throw wrapped(error)
        }
    }

    /// Begins a reply.
    /// - Returns: the answer, whose body is a stream of events.
    /// - Throws: ``VoiceError/Code/unavailable`` when the server cannot be reached or refuses.
    func complete(_ wanted: CompletionRequest) async throws(VoiceError) -> HTTPClientResponse {
        var wanted = wanted
        wanted.extended = isExtended
        do {
            var response = try await send(wanted)
            if [.badRequest, .unprocessableEntity].contains(response.status), wanted.extended {
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
            return try await HTTPClient.shared.execute(request, deadline: .distantFuture)
        }
    }

    /// Does something that the server must not take too long for.
    /// - Throws: ``VoiceError/Code/unavailable`` when it does; what was begun is cancelled.
    func within<Result: Sendable>(
        _ limit: Duration,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                throw VoiceError(
                    .unavailable,
                    "the language model at \(address) was silent for \(limit)"
                )
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
    private func failure(_ response: HTTPClientResponse) async throws -> VoiceError {
        var text = ""
        for try await piece in response.body {
            text += String(buffer: piece)
            if text.utf8.count > Self.longestError { break }
        }
        let error = JSONValue(json: text)
        let message = error?["error"]?["message"]?.text ?? error?["message"]?.text ?? error?["detail"]?.text ?? text
        let said = message.prefix(300).split(whereSeparator: \.isNewline).joined(separator: " ")
        let advice = [.unauthorized, .forbidden].contains(response.status) ? "; give the right key" : ""
        return VoiceError(.unavailable, "the language model at \(address) answers \(response.status): \(said)\(advice)")
    }

    /// An error with the server's address, without the libraries' names.
    func wrapped(_ error: any Error) -> VoiceError {
        switch error {
        case let error as VoiceError: error
        case is CancellationError: VoiceError(.cancelled, "The reply was cancelled.")
        case let error as HTTPClientError where error == .cancelled: VoiceError(.cancelled, "The reply was cancelled.")
        case let error as HTTPClientError:
            VoiceError(.unavailable, "the language model at \(address) cannot be reached: \(error.shortDescription)")
        default: VoiceError(.unavailable, "the language model at \(address) cannot be reached", cause: error)
        }
    }
}
