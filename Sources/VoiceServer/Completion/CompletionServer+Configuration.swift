extension CompletionServer {
    /// Where a completion server listens and how much it allows.
    public struct Configuration: Sendable {
        /// The address to listen on: a name, an IPv4 or an IPv6 address. `0.0.0.0` or `::` listen everywhere.
        public var host: String
        /// The port; 0 lets the system choose one.
        public var port: Int
        /// Conversations that are remembered, and replies that are made at the same time. The model has room for so many.
        public var chats: Int
        /// Requests that wait for a chat; one more gets status 503.
        public var waiting: Int
        /// How long a request waits.
        public var patience: Duration
        /// The most open connections; one more gets status 503.
        public var maxConnections: Int
        /// Other names of the model.
        public var aliases: [String]
        /// What clients have to send as a bearer token; nil if anybody may ask.
        public var key: String?
        /// Origins of pages, besides the server's own and those of this machine, that may use the server; `*` for all.
        public var allowedOrigins: [String]
        /// The most bytes of a request.
        var requestLimit = 4 * 1024 * 1024
        /// The bounds in time of connections.
        package var timing = HTTPTiming()

        /// Makes a configuration.
        public init(
            host: String = "127.0.0.1",
            port: Int = 8000,
            chats: Int = 4,
            waiting: Int = 16,
            patience: Duration = .seconds(30),
            maxConnections: Int = 256,
            aliases: [String] = [],
            key: String? = nil,
            allowedOrigins: [String] = []
        ) {
            self.host = host
            self.port = port
            self.chats = chats
            self.waiting = waiting
            self.patience = patience
            self.maxConnections = maxConnections
            self.aliases = aliases
            self.key = key
            self.allowedOrigins = allowedOrigins
        }
    }
}
