internal import NIOCore
internal import NIOHTTP1

/// What the recognition server answers: WebSockets at any path, OpenAI's endpoint, health and metrics.
struct RecognitionRouter: RequestRouter {
    /// The path of OpenAI's endpoint for files.
    static let transcriptions = "/v1/audio/transcriptions"
    /// The most bytes of a request's content that are read and thrown away, rather than refused.
    private static let bodyLimit = 64 * 1024

    let origins: OriginPolicy
    let sessions: SessionSlots
    /// The most bytes of a form with a file.
    let fileLimit: Int
    let metrics: RecognitionMetrics
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer
    /// The content of `/metrics`. Called on an event loop.
    let metricsText: @Sendable () -> String

    func answer(_ head: HTTPRequestHead) -> Answer {
        let path = path(of: head)
        if path == Self.transcriptions { return transcription(head) }
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        // The reference listens at `/` only; clients of other servers have paths of their own.
        if asksForWebSocket(head) { return webSocket(head) }
        switch path {
        case "/":
            return .respond(get(head) { .line(.upgradeRequired, Self.greeting, headers: ["Upgrade": "websocket"]) })
        case "/health": return .respond(get(head) { .json(health()) })
        case "/metrics":
            let headers: HTTPHeaders = ["Content-Type": PrometheusText.contentType, "Cache-Control": "no-store"]
            return .respond(get(head) { Response(.ok, headers: headers, body: ByteBuffer(string: metricsText())) })
        default: return .respond(.line(.notFound, Self.greeting))
        }
    }

    private static let greeting =
        "this is a recognition server: connect a WebSocket here, or post a file to \(transcriptions)"

    private func webSocket(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(ofHandshake: head, origins) { return .respond(refusal) }
        guard let place = sessions.place() else {
            metrics.refused(.webSocket)
            return .respond(.line(.serviceUnavailable, full, headers: ["Retry-After": "5"], closes: true))
        }
        return .upgrade(place)
    }

    private func transcription(_ head: HTTPRequestHead) -> Answer {
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
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > fileLimit {
            return .respond(OpenAIError.tooLarge(limit: fileLimit).response(closes: true))
        }
        guard let place = sessions.place() else {
            metrics.refused(.http)
            let error = OpenAIError(full, status: .serviceUnavailable, type: "server_error", code: "exhausted")
            return .respond(error.response(headers: ["Retry-After": "5"], closes: true))
        }
        return .serve(bodyLimit: fileLimit, tooLarge: OpenAIError.tooLarge(limit: fileLimit).response(), place)
    }

    private var full: String { "all \(sessions.counts.maximum) sessions are taken; try again later" }
}
