package import Cluster
internal import Foundation
package import Transports
public import VoiceCore

extension VoiceServer {
    /// Where a server listens and how much it allows.
    public struct Configuration: Sendable {
        /// The address to listen on: a name, an IPv4 or an IPv6 address. `0.0.0.0` or `::` listen everywhere.
        public var host: String
        /// The port; 0 lets the system choose one.
        public var port: Int
        /// The most conversations at a time, places that are reserved included; one more is told to try later (status 503, close code
        /// 1013).
        public var maxSessions: Int
        /// From how busy engines on, in [0, 1], no further conversation begins while there are any; 1 for never.
        public var maxLoad = 1.0
        /// How busy the engines are, in [0, 1]. Called for every new conversation, so it must return at once.
        public var load: @Sendable () -> Double = { 0 }
        /// What is done once no conversation has had news for some seconds, after some had; nil for nothing. It may take some
        /// milliseconds.
        public var whenQuiet: (@Sendable () -> Void)?
        /// How long conversations may go on once ``VoiceServer/drain()`` was called.
        public var drainTimeout = Duration.seconds(3600)
        /// What those are told that are still going on then; empty for nothing.
        public var goodbye = "I'm sorry, I have to go now. Goodbye."
        /// How long that may take.
        public var goodbyeTimeout = Duration.seconds(10)
        /// Who may begin conversations; empty for everybody.
        public var keys: [APIKey] = []
        /// What session tokens are signed with, the same for all workers of a cluster; nil for a secret of this process.
        public var tokenSecret: String?
        /// Whether everybody may begin conversations though the server can be reached from other machines and there are no keys.
        public var allowsStrangers = false
        /// Certificate and key; nil to serve without encryption.
        public var tls: TLSFiles?
        /// What callers hear when there is no room.
        public var busySentence = "All our lines are busy right now. Please call again in a few minutes."
        /// Where all numbers are counted; `/metrics` shows them.
        public var metrics = PrometheusRegistry()
        /// The cluster that it is a worker of; nil for a server of its own.
        public var cluster: ClusterMembership?
        /// Where it is known who holds which conversation; nil for in this process.
        package var directory: (any SessionDirectory)?
        /// The most open connections; one more gets status 503.
        public var maxConnections: Int
        /// Origins of pages, besides the server's own and those of this machine, that may open conversations; for example
        /// `https://voice.example.org`, or `*` for all.
        public var allowedOrigins: [String]
        /// A folder with another page than the one that comes with the program.
        public var playgroundDirectory: String?
        /// The address under which people and telephone providers reach the server, for example
        /// `https://voice.example.org`; nil for the one by which a request came.
        public var publicURL: String?
        /// WebRTC; nil to do without.
        public var webRTC: WebRTCSettings? = WebRTCSettings()
        /// Accounts at telephone providers.
        public var telephony = TelephonyAccounts()
        /// The rate of replies to Pipecat clients that do not ask for one: 16 or 24 kHz.
        public var pipecatRate = SampleRate(24_000)
        /// The time of day, in seconds since 1970, for what expires.
        package var date: @Sendable () -> Double = { Date().timeIntervalSince1970 }
        /// The bounds of each WebSocket.
        package var limits = WebSocketLimits()
        /// The bounds in time of everything else.
        package var timing = HTTPTiming()

        /// Makes a configuration.
        public init(
            host: String = "127.0.0.1",
            port: Int = 7860,
            maxSessions: Int = 8,
            maxConnections: Int = 256,
            allowedOrigins: [String] = [],
            playgroundDirectory: String? = nil
        ) {
            self.host = host
            self.port = port
            self.maxSessions = maxSessions
            self.maxConnections = maxConnections
            self.allowedOrigins = allowedOrigins
            self.playgroundDirectory = playgroundDirectory
        }
    }
}
