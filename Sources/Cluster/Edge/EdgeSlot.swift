/// A place for a worker in HAProxy's backend, as HAProxy has it.
struct EdgeSlot: Sendable, Equatable {
    /// What an administrator asked for. The raw values are the runtime API's words.
    enum Mode: String, Sendable {
        /// Connections come here as long as the health check passes.
        case ready
        /// Only what belongs here comes here.
        case drain
        /// Nothing comes here, and nothing is checked.
        case maint
    }

    /// The server's name in HAProxy's file.
    var name: String
    /// The worker's address.
    var endpoint: EdgeEndpoint
    /// What was asked for.
    var mode: Mode
    /// Whether the health check passes, that of a worker that drains too.
    var isUp: Bool
    /// Its share of new conversations, from 0 to 256.
    var weight: Int
}

/// An IP address and a port, in the form in which HAProxy writes them.
struct EdgeEndpoint: Sendable, Hashable {
    /// The address, IPv6 without brackets.
    var address: String
    /// The port.
    var port: Int
}
