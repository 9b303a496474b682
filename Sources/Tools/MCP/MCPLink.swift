internal import VoiceCore

/// The way to a server: carries messages, knows nothing of what they say. Serves one session.
protocol MCPLink: Sendable {
    /// Takes each message that comes.
    typealias Receiver = @Sendable (String) async -> Void

    /// Holds the session until it is over. Called once; requests may come before it.
    ///
    /// Cancellation ends the session in good order; that may take some seconds.
    /// - Parameter receive: takes what comes unasked, and answers that have no way of their own.
    /// - Throws: why the session is over, a sentence after the server's title.
    func run(_ receive: @escaping Receiver) async throws(VoiceError)

    /// Sends a message.
    /// - Parameter receive: takes what comes as its answer where that has a way of its own.
    /// - Returns: whether its answer can still come; false once the way that it would have come is closed.
    /// - Throws: why it cannot be sent; ``MCPSessionGone`` as the cause where the server has forgotten the session.
    func send(_ message: String, _ receive: @escaping Receiver) async throws(VoiceError) -> Bool

    /// Sends what wants no answer, without waiting, also in a cancelled task. It may get lost.
    func post(_ message: String)

    /// The server has agreed to a revision.
    func agreed(version: String)
}

/// The session is over or forgotten: what was asked was not done.
struct MCPSessionGone: Error {}

/// Bounds of what comes from servers.
enum MCPLimits {
    /// A longer message ends the session, in bytes.
    static let message = 4 << 20
    /// So many tools of a server are looked at.
    static let tools = 256
    /// Its list is asked for in at most so many pieces.
    static let pages = 64
    /// Calls that wait for one server at the same time.
    static let calls = 64
    /// Bytes of a tool's description.
    static let description = 4 << 10
}
