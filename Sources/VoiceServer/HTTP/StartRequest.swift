internal import Foundation
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

    /// Where to go, or why not.
    func response(at address: PublicAddress, _ webRTC: WebRTCSettings?) -> Response {
        let served = Self.transports(webRTC)
        guard served.contains(transport) else {
            let served = served.joined(separator: ", ")
            let detail: JSONValue = [
                "detail": .string("Transport '\(transport.prefix(64))' is not served here, only \(served).")
            ]
            return .json(ByteBuffer(string: detail.json), .badRequest)
        }
        let session = JSONValue.string(UUID().uuidString.lowercased())
        let answer: JSONValue =
            switch transport {
            case "webrtc":
                ["sessionId": session, "iceConfig": ["iceServers": .array(webRTC?.iceServers.map(\.json) ?? [])]]
            case "websocket": ["wsUrl": .string(address.webSocket(Router.pipecat)), "sessionId": session]
            default: ["wsUrl": .string(address.webSocket(Router.webSocket))]
            }
        return .json(ByteBuffer(string: answer.json))
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
