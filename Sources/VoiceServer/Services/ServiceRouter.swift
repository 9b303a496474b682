internal import NIOCore
internal import NIOHTTP1

/// What servers of an engine answer alike: health, metrics, who may open a WebSocket, who may post to OpenAI's endpoint.
protocol ServiceRouter: RequestRouter {
    var origins: OriginPolicy { get }
    var sessions: SessionSlots { get }
    var counts: ServiceMetrics { get }
    /// The content of `/health`. Called on an event loop.
    var health: @Sendable () -> ByteBuffer { get }
    /// The content of `/metrics`. Called on an event loop.
    var metricsText: @Sendable () -> String { get }
}

extension ServiceRouter {
    /// The most bytes of a request's content that are read and thrown away, rather than refused.
    static var bodyLimit: Int { 64 * 1024 }

    /// Answers a request for the state of the server; nil if it is for something else.
    func state(_ head: HTTPRequestHead) -> Answer? {
        switch path(of: head) {
        case "/health": return .respond(get(head) { .json(health()) })
        case "/metrics":
            let headers: HTTPHeaders = ["Content-Type": PrometheusText.contentType, "Cache-Control": "no-store"]
            return .respond(get(head) { Response(.ok, headers: headers, body: ByteBuffer(string: metricsText())) })
        default: return nil
        }
    }

    /// Answers a request for a WebSocket.
    func webSocket(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(ofHandshake: head, origins) { return .respond(refusal) }
        guard let place = sessions.place() else {
            counts.refused(.webSocket)
            return .respond(.line(.serviceUnavailable, full, headers: ["Retry-After": "5"], closes: true))
        }
        return .upgrade(place)
    }

    /// Answers a request to OpenAI's endpoint, in the form of its errors.
    /// - Parameters:
    ///   - limit: the most bytes of its content.
    ///   - tooLarge: the answer to more.
    func post(_ head: HTTPRequestHead, limit: Int, tooLarge: OpenAIError) -> Answer {
        if head.version == .http1_1, head.headers["host"].count != 1 {
            return .respond(OpenAIError("a request needs exactly one header Host").response(closes: true))
        }
        guard head.method == .POST else {
            let error = OpenAIError("only POST works here", status: .methodNotAllowed)
            return .respond(error.response(headers: ["Allow": "POST"]))
        }
        guard origins.allows(origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host")) else {
            let message = "pages of this origin may not ask here; name it among the server's allowed origins"
            return .respond(OpenAIError(message, status: .forbidden).response(closes: true))
        }
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > limit {
            return .respond(tooLarge.response(closes: true))
        }
        guard let place = sessions.place() else {
            counts.refused(.http)
            let error = OpenAIError(full, status: .serviceUnavailable, type: "server_error", code: "exhausted")
            return .respond(error.response(headers: ["Retry-After": "5"], closes: true))
        }
        return .serve(bodyLimit: limit, tooLarge: tooLarge.response(), place)
    }

    private var full: String { "all \(sessions.counts.maximum) sessions are taken; try again later" }
}
