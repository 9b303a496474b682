internal import NIOCore
internal import NIOHTTP1

/// What the recognition server answers: WebSockets at any path, OpenAI's endpoint, health and metrics.
struct RecognitionRouter: ServiceRouter {
    /// The path of OpenAI's endpoint for files.
    static let transcriptions = "/v1/audio/transcriptions"

    let origins: OriginPolicy
    let sessions: SessionSlots
    /// The most bytes of a form with a file.
    let fileLimit: Int
    let counts: ServiceMetrics
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer
    /// The content of `/metrics`. Called on an event loop.
    let metricsText: @Sendable () -> String

    func answer(_ head: HTTPRequestHead) -> Answer {
        let path = path(of: head)
        if path == Self.transcriptions { return post(head, limit: fileLimit, tooLarge: .tooLarge(limit: fileLimit)) }
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        // The reference listens at `/` only; clients of other servers have paths of their own.
        if asksForWebSocket(head) { return webSocket(head) }
        if path == "/" {
            return .respond(get(head) { .line(.upgradeRequired, Self.greeting, headers: ["Upgrade": "websocket"]) })
        }
        return state(head) ?? .respond(.line(.notFound, Self.greeting))
    }

    private static let greeting =
        "this is a recognition server: connect a WebSocket here, or post a file to \(transcriptions)"
}
