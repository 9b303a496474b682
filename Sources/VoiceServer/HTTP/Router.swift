internal import NIOCore
internal import NIOHTTP1

/// What the server answers to a request: a value, so that every rule can be tested without a socket.
struct Router: Sendable {
    /// What to do about a request.
    enum Answer: Sendable, Equatable {
        /// Send this.
        case respond(Response)
        /// Switch to WebSocket.
        case upgrade
    }

    /// The most bytes of a request's content that are read and thrown away, rather than refused.
    static let bodyLimit = 64 * 1024

    let playground: Playground
    let origins: OriginPolicy
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer

    /// Judges a request by its head.
    func answer(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(of: head) { return .respond(refusal) }
        let path = String(head.uri.prefix { $0 != "?" && $0 != "#" })
        switch path {
        case "/ws": return upgrade(head)
        case "/health": return .respond(get(head) { json(health()) })
        default:
            guard let asset = playground.assets[path] else {
                return .respond(.line(.notFound, "nothing is here; the page is at /"))
            }
            return .respond(get(head) { file(asset, for: head) })
        }
    }

    private func refusal(of head: HTTPRequestHead) -> Response? {
        // RFC 9112 section 3.2
        if head.version == .http1_1, head.headers["host"].count != 1 {
            return .line(.badRequest, "a request needs exactly one header Host", closes: true)
        }
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > Self.bodyLimit {
            return .line(.payloadTooLarge, "the request's content is too large", closes: true)
        }
        return nil
    }

    private func get(_ head: HTTPRequestHead, _ content: () -> Response) -> Response {
        guard head.method == .GET || head.method == .HEAD else {
            return .line(.methodNotAllowed, "only GET and HEAD work here", headers: ["Allow": "GET, HEAD"])
        }
        return content()
    }

    private func json(_ body: ByteBuffer) -> Response {
        Response(.ok, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: body)
    }

    private func file(_ asset: Playground.Asset, for head: HTTPRequestHead) -> Response {
        // With `no-cache` a browser asks each time whether its copy is still the current one.
        var headers: HTTPHeaders = ["ETag": asset.tag, "Cache-Control": "no-cache"]
        let known = head.headers[canonicalForm: "if-none-match"]
        if known.contains(where: { $0 == asset.tag || $0 == "*" || $0 == "W/" + asset.tag }) {
            return Response(.notModified, headers: headers)
        }
        headers.add(name: "Content-Type", value: asset.contentType)
        return Response(.ok, headers: headers, body: asset.body)
    }

    /// The server's half of RFC 6455 section 4.2.1.
    private func upgrade(_ head: HTTPRequestHead) -> Answer {
        func names(_ header: String) -> [String] { head.headers[canonicalForm: header].map { $0.lowercased() } }
        guard head.method == .GET else {
            return .respond(.line(.methodNotAllowed, "only GET works here", headers: ["Allow": "GET"]))
        }
        guard head.version == .http1_1, names("upgrade").contains("websocket"), names("connection").contains("upgrade"),
            head.headers["sec-websocket-version"] == ["13"]
        else {
            let headers: HTTPHeaders = ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"]
            return .respond(.line(.upgradeRequired, "this address speaks WebSocket, version 13", headers: headers))
        }
        let keys = head.headers["sec-websocket-key"]
        guard keys.count == 1, keys[0].utf8.count == 24, head.headers["transfer-encoding"].isEmpty,
            head.headers.first(name: "content-length").map({ $0 == "0" }) ?? true
        else { return .respond(.line(.badRequest, "the WebSocket handshake is malformed", closes: true)) }
        guard origins.allows(origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host")) else {
            return .respond(
                .line(.forbidden, "pages of this origin may not talk here; name it among the server's allowed origins")
            )
        }
        return .upgrade
    }
}
