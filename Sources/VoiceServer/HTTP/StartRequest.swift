internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import VoiceCore

/// A request of an app to begin a session: over which transport, and where. The forms are those of Pipecat 1.14,
/// `runner/run.py`.
struct StartRequest: Sendable {
    /// The transports that are served.
    private static let others = ["websocket"] + TelephonyProvider.allCases.map(\.rawValue)

    private static func transports(_ webRTC: WebRTCSettings?) -> [String] { (webRTC == nil ? [] : ["webrtc"]) + others }

    /// What is asked for.
    let transport: String

    /// Reads the content of a request; one that is no JSON asks for what Pipecat's clients ask for by themselves.
    init(_ content: [UInt8]) {
        transport = JSONValue(json: String(decoding: content, as: UTF8.self))?["transport"]?.text ?? "webrtc"
    }

    /// The content of `/status`.
    static func status(_ webRTC: WebRTCSettings?) -> ByteBuffer {
        let transports = JSONValue.array(transports(webRTC).map(JSONValue.string))
        return ByteBuffer(string: (["status": "ready", "transports": transports] as JSONValue).json)
    }

    /// Why the transport cannot be had; nil if it can.
    func refusal(_ webRTC: WebRTCSettings?) -> Response? {
        let served = Self.transports(webRTC)
        guard !served.contains(transport) else { return nil }
        let list = served.joined(separator: ", ")
        return .detail(.badRequest, "Transport '\(transport.prefix(64))' is not served here, only \(list).")
    }

    /// Where to go.
    ///
    /// - Parameters:
    ///   - session: the conversation for which a place is kept.
    ///   - token: what also lets it begin, once the place is no longer kept.
    func response(at address: PublicAddress, _ webRTC: WebRTCSettings?, session: String, token: String) -> Response {
        func webSocket(_ path: String) -> JSONValue {
            .string(address.webSocket(SessionPath.path(session, path)) + "?token=\(token)")
        }
        let place: JSONObject = ["sessionId": .string(session), "token": .string(token)]
        let way: JSONObject =
            switch transport {
            case "webrtc": ["iceConfig": ["iceServers": .array(webRTC?.iceServers.map(\.json) ?? [])]]
            case "websocket": ["wsUrl": webSocket(Router.pipecat)]
            default: ["wsUrl": .string(address.webSocket(SessionPath.path(session, Router.webSocket)))]
            }
        var answer = place
        for (name, value) in way { answer[name] = value }
        return .json(ByteBuffer(string: JSONValue.object(answer).json))
    }
}

extension WebRTCSettings.ICEServer {
    /// As browsers take it (RTCIceServer, WebRTC 1.0 section 4.2.4).
    fileprivate var json: JSONValue {
        [
            "urls": .array(urls.map(JSONValue.string)), "username": username.map(JSONValue.string),
            "credential": credential.map(JSONValue.string),
        ]
    }
}
