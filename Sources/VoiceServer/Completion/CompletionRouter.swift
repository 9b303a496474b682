internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// What the completion server answers: OpenAI's endpoints, health and metrics.
struct CompletionRouter: ServiceRouter {
    /// The path of OpenAI's endpoint.
    static let completions = "/v1/chat/completions"
    private static let models = "/v1/models"

    let origins: OriginPolicy
    let sessions: SessionSlots
    /// The most bytes of a request.
    let requestLimit: Int
    let host: CompletionRequest.Host
    /// When the model was loaded, in seconds of Unix time.
    let loaded: Int
    /// What clients have to know; nil if anybody may ask.
    let key: String?
    let counts: ServiceMetrics
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer
    /// The content of `/metrics`. Called on an event loop.
    let metricsText: @Sendable () -> String

    func answer(_ head: HTTPRequestHead) -> Answer {
        let path = path(of: head)
        if path.hasPrefix("/v1/"), !isAuthorised(head) {
            counts.refused(.http)
            return .respond(Self.unauthorised)
        }
        if path == Self.completions { return post(head, limit: requestLimit, tooLarge: tooLarge) }
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        if path == Self.models { return .respond(get(head) { .json(ByteBuffer(string: list.json)) }) }
        if path.hasPrefix(Self.models + "/") {
            return .respond(get(head) { model(named: String(path.dropFirst(Self.models.count + 1))) })
        }
        return state(head) ?? .respond(Self.nothing)
    }

    // MARK: - Models

    private var list: JSONValue { ["object": "list", "data": .array(host.models.map(describe))] }

    private func model(named name: String) -> Response {
        let name = name.removingPercentEncoding ?? name
        guard host.models.contains(name) else { return host.missing(name).response() }
        return .json(ByteBuffer(string: describe(name).json))
    }

    /// OpenAI's fields, and the context as vLLM tells it.
    private func describe(_ name: String) -> JSONValue {
        [
            "id": .string(name), "object": "model", "created": .number(Double(loaded)), "owned_by": "repartee",
            "max_model_len": .number(Double(host.contextLength)),
        ]
    }

    // MARK: - Refusals

    private func isAuthorised(_ head: HTTPRequestHead) -> Bool {
        guard let key else { return true }
        let words = (head.headers.first(name: "authorization") ?? "").split(separator: " ", maxSplits: 1)
        // RFC 9110 section 11.1: the scheme's case does not matter.
        guard words.count == 2, words[0].lowercased() == "bearer" else { return false }
        return Signature.isEqual(Array(words[1].utf8), Array(key.utf8))
    }

    private static let unauthorised = OpenAIError(
        "the key is missing or wrong; send the header 'Authorization: Bearer' with the server's key",
        status: .unauthorized,
        code: "invalid_api_key"
    ).response(headers: ["WWW-Authenticate": "Bearer"], closes: true)

    private static let nothing = OpenAIError(
        "nothing is here; this is a server of a language model: post a conversation to \(completions)",
        status: .notFound
    ).response()

    private var tooLarge: OpenAIError {
        let message = "the request is larger than \(requestLimit / 1024) KiB; leave out the oldest messages"
        return OpenAIError(message, status: .payloadTooLarge, param: "messages", code: "too_large")
    }
}

extension CompletionRequest.Host {
    /// The answer to a name that is no model's.
    func missing(_ name: String) -> OpenAIError {
        OpenAIError(
            "there is no model '\(name.prefix(80))', only \(models.joined(separator: ", "))",
            status: .notFound,
            param: "model",
            code: "model_not_found"
        )
    }
}
