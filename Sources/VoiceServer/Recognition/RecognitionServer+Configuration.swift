package import Transports
public import VoiceCore

extension RecognitionServer {
    /// Where a recognition server listens and how much it allows.
    public struct Configuration: Sendable {
        /// The address to listen on: a name, an IPv4 or an IPv6 address. `0.0.0.0` or `::` listen everywhere.
        public var host: String
        /// The port; 0 lets the system choose one.
        public var port: Int
        /// The most sessions at a time, WebSockets and transcriptions of files together; one more gets status 503.
        public var maxSessions: Int
        /// The most open connections; one more gets status 503.
        public var maxConnections: Int
        /// The most bytes of a file to be transcribed, with the form around it. OpenAI's limit is 25 MiB too.
        public var maxFileBytes: Int
        /// How long a WebSocket may be silent.
        public var idleTimeout: Duration
        /// How speakers are recognised unless a client asks for something else.
        public var options: RecognitionOptions
        /// Origins of pages, besides the server's own and those of this machine, that may use the server; `*` for all.
        public var allowedOrigins: [String]
        /// The bounds of each WebSocket.
        package var limits: WebSocketLimits
        /// The bounds in time of everything else.
        package var timing = HTTPTiming()

        /// Makes a configuration.
        public init(
            host: String = "127.0.0.1",
            port: Int = 8080,
            maxSessions: Int = 16,
            maxConnections: Int = 256,
            maxFileBytes: Int = 25 * 1024 * 1024,
            idleTimeout: Duration = .seconds(300),
            options: RecognitionOptions = RecognitionOptions(),
            allowedOrigins: [String] = []
        ) {
            self.host = host
            self.port = port
            self.maxSessions = maxSessions
            self.maxConnections = maxConnections
            self.maxFileBytes = maxFileBytes
            self.idleTimeout = idleTimeout
            self.options = options
            self.allowedOrigins = allowedOrigins
            limits = WebSocketLimits()
            // The reference takes as much: `max_msg_size` in server.py.
            limits.messageBytes = 10 * 1024 * 1024
            // Simple clients send a whole file before they read; meanwhile interim transcripts replace each other.
            limits.stallTimeout = .seconds(30)
            // Nine minutes of audio. While this much waits the client is not read, and neither are its pings; clients
            // that send files faster than they are understood give up when a ping is not answered within 20 s.
            limits.inboundBacklogBytes = 16 * 1024 * 1024
        }
    }
}
