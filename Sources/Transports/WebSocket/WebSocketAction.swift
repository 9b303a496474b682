package import NIOCore

/// What a WebSocket does about a frame, whatever is said over it.
package enum WebSocketAction: Sendable, Equatable {
    /// Nothing.
    case none
    /// A text message for the peer.
    case say(ByteBuffer)
    /// A pong frame with these bytes.
    case pong(ByteBuffer)
    /// A ping frame.
    case ping
    /// Tell the peer why, send a close frame, wait for the peer's.
    case close(CloseReason)
    /// Answer the peer's close frame with this code and disconnect.
    case answerClose(UInt16?)
    /// Disconnect: the closing handshake is complete, or the peer is dead.
    case disconnect(isDead: Bool)
}
