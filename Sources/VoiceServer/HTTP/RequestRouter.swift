internal import NIOCore
internal import NIOHTTP1

/// What a server answers to requests: a value, so that every rule can be tested without a socket.
protocol RequestRouter: Sendable {
    /// Judges a request by its head. Called on an event loop, so it must return at once.
    func answer(_ head: HTTPRequestHead) -> Answer
}

/// What to do about a request.
enum Answer: Sendable {
    /// Send this.
    case respond(Response)
    /// Switch to WebSocket, on this place if the server counts them.
    case upgrade(Place? = nil)
    /// Take the request's content and hand all of it to the connection's task; answer `tooLarge` if it has more bytes.
    case serve(bodyLimit: Int, tooLarge: Response, Place)
}

extension RequestRouter {
    /// The value of a name in a request's query; nil without one.
    func query(_ name: String, of head: HTTPRequestHead) -> String? {
        let query = head.uri.prefix { $0 != "#" }.drop { $0 != "?" }.dropFirst()
        return FormContent(reading: Array(query.utf8))[name]
    }

    /// The path of a request, without query and fragment.
    func path(of head: HTTPRequestHead) -> String { String(head.uri.prefix { $0 != "?" && $0 != "#" }) }

    /// Refuses a request that is no use to anybody; nil if it is well-formed.
    ///
    /// - Parameter bodyLimit: the most bytes of its content.
    func refusal(of head: HTTPRequestHead, bodyLimit: Int) -> Response? {
        // RFC 9112 section 3.2
        if head.version == .http1_1, head.headers["host"].count != 1 {
            return .line(.badRequest, "a request needs exactly one header Host", closes: true)
        }
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > bodyLimit {
            return .line(.payloadTooLarge, "the request's content is too large", closes: true)
        }
        return nil
    }

    /// The content for GET and HEAD, a refusal for other methods.
    func get(_ head: HTTPRequestHead, _ content: () -> Response) -> Response {
        guard head.method == .GET || head.method == .HEAD else {
            return .line(.methodNotAllowed, "only GET and HEAD work here", headers: ["Allow": "GET, HEAD"])
        }
        return content()
    }

    /// True if a request asks for WebSocket.
    func asksForWebSocket(_ head: HTTPRequestHead) -> Bool {
        head.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }

    /// Refuses a WebSocket handshake: the server's half of RFC 6455 section 4.2.1. Nil if it is in order.
    func refusal(ofHandshake head: HTTPRequestHead, _ origins: OriginPolicy) -> Response? {
        guard head.method == .GET else {
            return .line(.methodNotAllowed, "only GET works here", headers: ["Allow": "GET"])
        }
        let connection = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
        guard head.version == .http1_1, asksForWebSocket(head), connection.contains("upgrade"),
            head.headers["sec-websocket-version"] == ["13"]
        else {
            let headers: HTTPHeaders = ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"]
            return .line(.upgradeRequired, "this address speaks WebSocket, version 13", headers: headers)
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, keys[0].utf8.count == 24, head.headers["transfer-encoding"].isEmpty,
            head.headers.first(name: "content-length").map({ $0 == "0" }) ?? true
        else { return .line(.badRequest, "the WebSocket handshake is malformed", closes: true) }
        guard origins.allows(origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host")) else {
            return .line(
                .forbidden,
                "pages of this origin may not talk here; name it among the server's allowed origins"
            )
        }
        return nil
    }
}
