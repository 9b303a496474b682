internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import VoiceCore

/// What the agent's server answers: the page, how it is, the ways to a conversation.
struct Router: RequestRouter {
    /// The most bytes of a request's content that are read and thrown away, rather than refused.
    static let bodyLimit = 64 * 1024

    /// The page's and the telephone providers' WebSocket.
    static let webSocket = "/ws"
    /// Pipecat clients' WebSocket.
    static let pipecat = "/ws-client"
    /// The rates that Pipecat clients may ask for, in hertz.
    static let pipecatRates = ["16000": 16_000, "24000": 24_000]

    let playground: Playground
    let origins: OriginPolicy
    /// Room for requests with content.
    let exchanges: SessionSlots
    /// Room for WebSockets that are being judged.
    let handshakes: SessionSlots
    /// WebRTC, where it is served.
    let webRTC: WebRTCSettings?
    /// Whether other workers may ask for places.
    let isWorker: Bool
    /// How the server is. Called on an event loop.
    let state: StateOfServer

    /// What is asked about the server as a whole.
    struct StateOfServer: Sendable {
        /// The content of `/health`.
        var health: @Sendable () -> ByteBuffer
        /// The content of `/metrics`, for who may see it.
        var metrics: @Sendable (HTTPRequestHead) throws(Refusal) -> String
        /// Whether new conversations are taken.
        var isReady: @Sendable () -> Bool
    }

    func answer(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(of: head, bodyLimit: Self.bodyLimit) { return .respond(refusal) }
        let path = path(of: head)
        let place = SessionPath(path)
        switch place.rest {
        case Self.webSocket: return handshake(head)
        case Self.pipecat:
            if let rate = query("sample_rate", of: head), Self.pipecatRates[rate] == nil {
                return .respond(.line(.badRequest, "sample_rate is 16000 or 24000", closes: true))
            }
            return handshake(head)
        case SignallingRequest.path: return shared(head, [.POST, .PATCH])
        case _ where place.session != nil: return .respond(nothing)
        case "/start": return shared(head, [.POST])
        case Gateway.path where isWorker: return exchange(head)
        case "/status": return .respond(get(head) { .json(StartRequest.status(webRTC)) })
        case "/health": return .respond(get(head) { .json(state.health()) })
        case "/ready": return .respond(get(head) { readiness })
        case "/metrics": return .respond(get(head) { metrics(head) })
        case "/" where head.method == .POST: return exchange(head)
        default:
            guard let asset = playground.assets[path] else { return .respond(nothing) }
            return .respond(get(head) { file(asset, for: head) })
        }
    }

    /// True if a request, which this router let through, asks for a WebSocket.
    func isHandshake(_ head: HTTPRequestHead) -> Bool {
        [Self.webSocket, Self.pipecat].contains(SessionPath(path(of: head)).rest)
    }

    private var nothing: Response { .line(.notFound, "nothing is here; the page is at /") }

    /// A load balancer takes 404 for "no more of them, but those that are there go on" (HAProxy's `disable-on-404`), anything
    /// else that is no success for "gone".
    private var readiness: Response {
        state.isReady() ? .line(.ok, "ready") : .line(.notFound, "draining: no new conversations begin here")
    }

    private func metrics(_ head: HTTPRequestHead) -> Response {
        do throws(Refusal) {
            let headers: HTTPHeaders = ["Content-Type": PrometheusText.contentType, "Cache-Control": "no-store"]
            return Response(.ok, headers: headers, body: ByteBuffer(string: try state.metrics(head)))
        } catch {
            return error.response
        }
    }

    /// A request for a WebSocket that is well-formed is judged by a task: tokens and places may take a moment.
    private func handshake(_ head: HTTPRequestHead) -> Answer {
        if let refusal = refusal(ofHandshake: head, origins) { return .respond(refusal) }
        guard let place = handshakes.place() else { return .respond(.tooManyConnections) }
        return .serve(bodyLimit: 0, tooLarge: .line(.payloadTooLarge, "a handshake has no content"), place)
    }

    /// A request of an app, to begin a session say. Browsers ask first whether pages of another origin may.
    private func shared(_ head: HTTPRequestHead, _ methods: [HTTPMethod]) -> Answer {
        guard head.method == .OPTIONS else { return exchange(head, methods) }
        guard origins.allows(origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host")) else {
            return .respond(.foreignPage)
        }
        let headers: HTTPHeaders = [
            "Access-Control-Allow-Methods": methods.map(\.rawValue).joined(separator: ", "),
            "Access-Control-Allow-Headers": "Content-Type, Authorization, X-API-Key",
            "Access-Control-Max-Age": "600",
        ]
        return .respond(Response(.noContent, headers: headers).shared(with: head))
    }

    private func exchange(_ head: HTTPRequestHead, _ methods: [HTTPMethod] = [.POST]) -> Answer {
        guard methods.contains(head.method) else {
            let allowed = methods.map(\.rawValue)
            return .respond(
                .line(
                    .methodNotAllowed,
                    "only \(allowed.joined(separator: " and ")) \(allowed.count == 1 ? "works" : "work") here",
                    headers: ["Allow": allowed.joined(separator: ", ")]
                )
            )
        }
        guard origins.allows(origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host")) else {
            return .respond(.foreignPage)
        }
        guard let place = exchanges.place() else { return .respond(.tooManyConnections) }
        return .serve(bodyLimit: Self.bodyLimit, tooLarge: .line(.payloadTooLarge, "the content is too large"), place)
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

    /// What is spoken on the WebSocket that a request asked for.
    ///
    /// - Parameter rate: of replies to Pipecat clients that do not ask for one.
    func entrance(for head: HTTPRequestHead, usually rate: SampleRate) -> WebSocketConnection.Entrance {
        guard SessionPath(path(of: head)).rest == Self.pipecat else { return .pageOrTelephone }
        let wanted = query("sample_rate", of: head).flatMap { Self.pipecatRates[$0] }
        return .pipecat(wanted.map { SampleRate($0) } ?? rate)
    }
}
