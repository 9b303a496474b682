/// The bounds of a WebSocket. The defaults are those of `docs/protocol.md`.
package struct WebSocketLimits: Sendable, Equatable {
    /// The most bytes of one message, either as one frame or in fragments.
    package var messageBytes = 256 * 1024
    /// While its conversation rests a peer is read once in so long.
    package var restInterval: Duration = .milliseconds(120)
    /// How long a peer may take until `hello`.
    package var helloTimeout: Duration = .seconds(10)
    /// How long a peer may send no message; nil for as long as it likes.
    package var idleTimeout: Duration?
    /// The pause between the server's pings.
    package var pingInterval: Duration = .seconds(20)
    /// Pings without any sign of life in between after which a peer counts as dead.
    package var missedPings = 2
    /// How long a peer may accept no bytes while some wait.
    package var stallTimeout: Duration = .seconds(5)
    /// How long the closing handshake may take.
    package var closeTimeout: Duration = .seconds(1)
    /// How much more microphone audio than time may pass.
    package var microphoneBurst: Duration = .seconds(5)
    /// The most microphone audio that waits for the session.
    package var microphoneBacklog: Duration = .seconds(2)
    /// The most messages of microphone audio that wait for the session, however short.
    package var microphoneBacklogCount = 1_024
    /// The most other messages that wait for the session.
    package var controlBacklog = 256
    /// The bytes of whole messages that may wait before the socket is not read any more; not for the browser's protocol.
    package var inboundBacklogBytes = 256 * 1024
    /// The most reply audio that waits for the socket.
    package var playoutBacklog: Duration = .seconds(2)
    /// The most messages of reply audio that wait for the socket, however short.
    package var playoutBacklogCount = 1_024
    /// The reply audio that waits for the socket from which on a sender that can wait does.
    package var playoutRoom: Duration = .milliseconds(500)
    /// The most bytes of other messages that wait for the socket.
    package var eventBacklogBytes = 1024 * 1024
    /// How many bytes are handed to the socket's own queue at a time. Little, so that `cut` finds audio still here.
    package var bytesInFlight = 16 * 1024

    /// Makes the documented limits.
    package init() {}
}
