package import Transports
public import VoiceCore

extension VoiceServer {
    /// Where a server listens and how much it allows.
    public struct Configuration: Sendable {
        /// The address to listen on: a name, an IPv4 or an IPv6 address. `0.0.0.0` or `::` listen everywhere.
        public var host: String
        /// The port; 0 lets the system choose one.
        public var port: Int
        /// The most conversations at a time; one more is told to try later (close code 1013).
        public var maxSessions: Int
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
