internal import Foundation
internal import NIOCore
internal import Transports
internal import VoiceCore

/// The content of `/health`; its form is in `docs/protocol.md`.
struct Health: Encodable {
    /// How many there are now, may be, were, and were turned away.
    struct Counts: Encodable, Equatable {
        var active = 0
        var maximum: Int
        var total = 0
        var refused = 0
    }

    /// The same of conversations, with the places that are kept for somebody.
    private struct Sessions: Encodable {
        var active: Int
        var reserved: Int
        var maximum: Int
        var total: Int
        var refused: Int

        init(_ counts: AdmissionMachine.Counts) {
            active = counts.active
            reserved = counts.reserved
            maximum = counts.maximum
            total = counts.total
            refused = counts.refused
        }
    }

    private struct Dropped: Encodable {
        var microphone: Double
        var playout: Double

        enum CodingKeys: String, CodingKey {
            case microphone = "microphone_ms"
            case playout = "playout_ms"
        }
    }

    /// Connections that did not end well.
    struct Closed: Encodable {
        private var violations: Int
        private var slow: Int
        private var dead: Int

        init(_ transports: TransportCounters.Snapshot) {
            violations = transports.violations
            slow = transports.slowPeers
            dead = transports.deadPeers
        }
    }

    private let status: String
    private let version: String
    private let models: ModelNames
    /// Left out where there is none.
    private let advice: String?
    private let uptime: Double
    private let sessions: Sessions
    private let connections: Counts
    private let dropped: Dropped
    private let closed: Closed

    private enum CodingKeys: String, CodingKey {
        case status, version, models, advice, sessions, connections, dropped, closed
        case uptime = "uptime_s"
    }

    init(
        _ description: ServerDescription,
        isDraining: Bool,
        uptime: Duration,
        sessions: AdmissionMachine.Counts,
        connections: Counts,
        transports: TransportCounters.Snapshot
    ) {
        status = isDraining ? "draining" : "ok"
        version = description.version
        models = description.models
        advice = description.advice
        self.uptime = (uptime.milliseconds / 1e3 * 10).rounded() / 10
        self.sessions = Sessions(sessions)
        self.connections = connections
        dropped = Dropped(
            microphone: transports.microphoneDropped.milliseconds,
            playout: transports.playoutDropped.milliseconds
        )
        closed = Closed(transports)
    }

    /// The JSON object. All numbers are finite, so it always exists.
    var json: ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return ByteBuffer(bytes: (try? encoder.encode(self)) ?? Data())
    }
}
