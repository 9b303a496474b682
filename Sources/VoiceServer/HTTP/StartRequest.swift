internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Transports

/// A request of an app to begin a session: over which transport, and where. The forms are those of Pipecat 1.14,
/// `runner/run.py`.
struct StartRequest: Sendable {
    /// The transports that are served.
    private static let transports = ["websocket"] + TelephonyProvider.allCases.map(\.rawValue)

    /// What is asked for.
    let transport: String

    /// Reads the content of a request; one that is no JSON asks for what Pipecat's clients ask for by themselves.
    init(_ content: [UInt8]) {
        transport = JSONValue(json: String(decoding: content, as: UTF8.self))?["transport"]?.text ?? "webrtc"
    }

    /// The content of `/status`.
    static let status = ByteBuffer(
        string: (["status": "ready", "transports": .array(transports.map(JSONValue.string))] as JSONValue).json
    )

    /// Where to go, or why not.
    func response(at address: PublicAddress) -> Response {
        guard Self.transports.contains(transport) else {
            let served = Self.transports.joined(separator: ", ")
            let detail: JSONValue = [
                "detail": .string("Transport '\(transport.prefix(64))' is not served here, only \(served).")
            ]
            return .json(ByteBuffer(string: detail.json), .badRequest)
        }
        let answer: JSONValue =
            transport == "websocket"
            ? [
                "wsUrl": .string(address.webSocket(Router.pipecat)),
                "sessionId": .string(UUID().uuidString.lowercased()),
            ]
            : ["wsUrl": .string(address.webSocket(Router.webSocket))]
        return .json(ByteBuffer(string: answer.json))
    }
}
