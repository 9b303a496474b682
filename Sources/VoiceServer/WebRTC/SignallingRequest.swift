internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import VoiceCore

/// A request of a WebRTC client: an offer, or candidates for one. The forms are those of Pipecat 1.14's SmallWebRTC transport
/// (`transports/smallwebrtc/request_handler.py`).
enum SignallingRequest: Sendable, Equatable {
    /// An offer (SDP); `connection` is the name that an earlier answer came with.
    case offer(String, connection: String?, restarts: Bool)
    /// Where the client may be reached. As we only answer, nothing has to be done about them.
    case candidates(connection: String)

    /// The address of offers, also below a session that `/start` has named.
    static let path = "/api/offer"

    /// Reads a request.
    ///
    /// - Throws: ``VoiceError/Code/malformedInput`` for anything else.
    init(_ method: HTTPMethod, _ content: [UInt8]) throws(VoiceError) {
        guard let json = JSONValue(json: String(decoding: content, as: UTF8.self)) else {
            throw VoiceError(.malformedInput, "The content is no JSON.")
        }
        guard method == .POST else {
            guard let connection = json["pc_id"]?.text else {
                throw VoiceError(.malformedInput, "A request with candidates names its connection in pc_id.")
            }
            self = .candidates(connection: connection)
            return
        }
        guard let sdp = json["sdp"]?.text, json["type"]?.text == "offer" else {
            throw VoiceError(.malformedInput, "An offer has an sdp and the type \"offer\".")
        }
        self = .offer(sdp, connection: json["pc_id"]?.text, restarts: json["restart_pc"]?.flag ?? false)
    }
}
