internal import NIOCore
internal import NIOHTTP1
internal import VoiceCore

/// A whole HTTP response as a value.
struct Response: Sendable, Equatable {
    /// Its status.
    var status: HTTPResponseStatus
    /// Its headers, without those that depend on the connection.
    var headers: HTTPHeaders
    /// Its content; empty if it has none.
    var body: ByteBuffer
    /// True if the connection cannot be used again.
    var closes: Bool

    init(
        _ status: HTTPResponseStatus,
        headers: HTTPHeaders = [:],
        body: ByteBuffer = ByteBuffer(),
        closes: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.closes = closes
        // RFC 9110 section 8.6
        if status != .notModified, status != .noContent {
            self.headers.replaceOrAdd(name: "Content-Length", value: "\(body.readableBytes)")
        }
        self.headers.replaceOrAdd(name: "X-Content-Type-Options", value: "nosniff")
        // The page states the rest of its policy itself; only this part cannot be said in a page.
        self.headers.replaceOrAdd(name: "Content-Security-Policy", value: "frame-ancestors 'none'")
    }

    /// A status with one line of text for a person.
    static func line(
        _ status: HTTPResponseStatus,
        _ text: String,
        headers: HTTPHeaders = [:],
        closes: Bool = false
    ) -> Response {
        var headers = headers
        headers.replaceOrAdd(name: "Content-Type", value: "text/plain; charset=utf-8")
        headers.replaceOrAdd(name: "Cache-Control", value: "no-store")
        return Response(status, headers: headers, body: ByteBuffer(string: text + "\n"), closes: closes)
    }

    /// JSON that is true only now.
    static func json(_ body: ByteBuffer, _ status: HTTPResponseStatus = .ok, closes: Bool = false) -> Response {
        let headers: HTTPHeaders = ["Content-Type": "application/json", "Cache-Control": "no-store"]
        return Response(status, headers: headers, body: body, closes: closes)
    }

    /// A failure as Pipecat's clients read it.
    static func detail(_ status: HTTPResponseStatus, _ text: String) -> Response {
        json(ByteBuffer(string: (["detail": .string(text)] as JSONValue).json), status)
    }

    /// The answer to everything on a connection that is one too many.
    static let tooManyConnections = line(
        .serviceUnavailable,
        "the server has too many connections; try again later",
        headers: ["Retry-After": "5"],
        closes: true
    )

    /// The answer to pages that may not talk here.
    static let foreignPage = line(
        .forbidden,
        "pages of this origin may not talk here; name it among the server's allowed origins",
        closes: true
    )

    /// The same response, readable by the page that sent a request (CORS). Which pages may is decided before.
    func shared(with head: HTTPRequestHead) -> Response {
        guard let origin = head.headers.first(name: "origin") else { return self }
        var response = self
        response.headers.replaceOrAdd(name: "Access-Control-Allow-Origin", value: origin)
        response.headers.replaceOrAdd(name: "Vary", value: "Origin")
        return response
    }

    /// The same response at the end of a connection.
    func closing() -> Response {
        var response = self
        response.closes = true
        return response
    }
}
