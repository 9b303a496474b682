internal import NIOCore
internal import NIOHTTP1

/// What the agent's server answers: the page, its health, the way to a conversation.
struct Router: RequestRouter {
    /// The most bytes of a request's content that are read and thrown away, rather than refused.
    static let bodyLimit = 64 * 1024

    let playground: Playground
    let origins: OriginPolicy
    /// The content of `/health`. Called on an event loop.
    let health: @Sendable () -> ByteBuffer

    func answer(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        let path = path(of: head)
        switch path {
        case "/ws": return refusal(ofHandshake: head, origins).map(Answer.respond) ?? .upgrade()
        case "/health": return .respond(get(head) { .json(health()) })
        default:
            guard let asset = playground.assets[path] else {
                return .respond(.line(.notFound, "nothing is here; the page is at /"))
            }
            return .respond(get(head) { file(asset, for: head) })
        }
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
}
