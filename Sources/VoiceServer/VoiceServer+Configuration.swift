package import Transports

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
        /// The bounds of each WebSocket.
        package var limits = WebSocketLimits()
        /// The bounds in time of everything else.
        package var timing = Timing()

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

    /// The server's bounds in time.
    package struct Timing: Sendable {
        /// How often the other bounds are looked at.
        package var tick: Duration = .milliseconds(250)
        /// How long a client may take for a request, also from the end of the last response.
        package var requestTimeout: Duration = .seconds(10)
        /// How long a client may take to accept a response.
        package var responseTimeout: Duration = .seconds(30)
        /// How long a client may take to close after the last response.
        package var lingerTimeout: Duration = .seconds(1)
        /// How long a session may take to end by itself when its page has gone.
        package var sessionGrace: Duration = .seconds(2)
    }
}
