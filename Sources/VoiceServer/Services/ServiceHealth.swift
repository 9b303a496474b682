internal import Foundation
internal import NIOCore
internal import Transports
internal import VoiceCore

/// The content of `/health` of a server of an engine: the reference's two fields (`health_handler` of its server.py, `health` of
/// its tts_server.py) and ours.
struct ServiceHealth: Encodable {
    private let status = "healthy"
    private let isModelLoaded = true
    private let version: String
    private let voice: String?
    private let model: String
    private let uptime: Double
    private let sessions: Health.Counts
    private let connections: Health.Counts
    private let closed: Health.Closed?

    private enum CodingKeys: String, CodingKey {
        case status, version, voice, model, sessions, connections, closed
        case isModelLoaded = "model_loaded"
        case uptime = "uptime_s"
    }

    /// - Parameters:
    ///   - voice: of servers that speak, the voice of those who choose none.
    ///   - transports: of servers with WebSockets, how those ended.
    init(
        version: String,
        voice: String? = nil,
        model: String,
        uptime: Duration,
        sessions: Health.Counts,
        connections: Health.Counts,
        transports: TransportCounters.Snapshot? = nil
    ) {
        self.version = version
        self.voice = voice
        self.model = model
        self.uptime = (uptime.milliseconds / 1e3 * 10).rounded() / 10
        self.sessions = sessions
        self.connections = connections
        closed = transports.map(Health.Closed.init)
    }

    /// The JSON object. All numbers are finite, so it always exists.
    var json: ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: (try? encoder.encode(self)) ?? Data())
    }
}
