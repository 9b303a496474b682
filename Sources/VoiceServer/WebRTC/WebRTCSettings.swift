internal import Transports
internal import VoiceCore

/// How people reach the agent by WebRTC.
public struct WebRTCSettings: Sendable, Equatable {
    /// A server that helps a client to be reached, or to reach us: STUN or TURN (RFC 8445, RFC 8656). Clients are told of them; the
    /// agent itself needs none.
    public struct ICEServer: Sendable, Equatable {
        /// Its addresses, for example `turn:turn.example.org:3478`.
        public var urls: [String]
        /// The user name for TURN; nil for none.
        public var username: String?
        /// The password for TURN; nil for none.
        public var credential: String?

        /// Makes a server.
        public init(urls: [String], username: String? = nil, credential: String? = nil) {
            self.urls = urls
            self.username = username
            self.credential = credential
        }
    }

    /// The UDP port of all calls; nil for the number of the server's own port.
    public var port: Int?
    /// Under which IP addresses people reach that port, best first; empty for those of this machine's interfaces.
    public var publicAddresses: [String] = []
    /// What clients are told.
    public var iceServers: [ICEServer] = []
    /// The length of the packets that are sent: 10 or 20 ms.
    public var packet = Duration.milliseconds(20)

    /// Makes the settings for a machine that people reach under its own addresses.
    public init() {}

    /// The settings of the port.
    func port(host: String, serverPort: Int, sessions: Int) -> WebRTCPort.Configuration {
        var configuration = WebRTCPort.Configuration(host: host, port: port ?? serverPort)
        configuration.publicAddresses = publicAddresses
        configuration.frame = packet
        // Some come while others go, and some never connect.
        configuration.maximumConnections = 4 * sessions + 16
        return configuration
    }
}
