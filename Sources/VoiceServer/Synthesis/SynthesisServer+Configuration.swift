package import Transports
public import VoiceCore

extension SynthesisServer {
    /// Where a synthesis server listens and how much it allows.
    public struct Configuration: Sendable {
        /// The address to listen on: a name, an IPv4 or an IPv6 address. `0.0.0.0` or `::` listen everywhere.
        public var host: String
        /// The port; 0 lets the system choose one.
        public var port: Int
        /// The most sessions at a time, WebSockets and requests together; one more gets status 503.
        public var maxSessions: Int
        /// The most open connections; one more gets status 503.
        public var maxConnections: Int
        /// The rate of the audio for clients that ask for none; nil for the voice's own.
        public var rate: SampleRate?
        /// How long a WebSocket may be silent.
        public var idleTimeout: Duration
        /// Origins of pages, besides the server's own and those of this machine, that may use the server; `*` for all.
        public var allowedOrigins: [String]
        /// How many times as fast as it is played audio is sent over a WebSocket; nil for as fast as it is made.
        var speed: Double? = 4
        /// How much text may wait.
        var texts = SynthesisMachine.Limits()
        /// The bounds of each WebSocket.
        package var limits: WebSocketLimits
        /// The bounds in time of everything else.
        package var timing = HTTPTiming()

        /// The rate that the reference declares, and its clients take for granted: `MAGPIE_SAMPLE_RATE` of
        /// src/nemotron_speech/tts_server.py, pipecat-ai/nemotron-january-2026 @ 70363cd.
        public static let referenceRate = SampleRate(22_000)

        /// Makes a configuration.
        public init(
            host: String = "127.0.0.1",
            port: Int = 8001,
            maxSessions: Int = 16,
            maxConnections: Int = 256,
            rate: SampleRate? = Configuration.referenceRate,
            // A bot keeps its connection over its life, and people are silent; dead peers are found by pings.
            idleTimeout: Duration = .seconds(1800),
            allowedOrigins: [String] = []
        ) {
            self.host = host
            self.port = port
            self.maxSessions = maxSessions
            self.maxConnections = maxConnections
            self.rate = rate
            self.idleTimeout = idleTimeout
            self.allowedOrigins = allowedOrigins
            limits = WebSocketLimits()
            // A text with every byte escaped is six times as long.
            limits.messageBytes = 2 * 1024 * 1024
            limits.inboundBacklogBytes = 2 * 1024 * 1024
            limits.stallTimeout = .seconds(30)
            // One frame at a time: what is handed to the socket cannot be cut any more.
            limits.bytesInFlight = 1
        }
    }
}
