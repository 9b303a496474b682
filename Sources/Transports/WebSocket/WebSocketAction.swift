package import NIOCore

/// What a WebSocket does about a frame, whatever is said over it.
package enum WebSocketAction: Sendable, Equatable {
    /// Nothing.
    case none
    /// A text message for the peer.
    case say(ByteBuffer)
    /// A frame for the peer.
    case send(OutboundQueue.Item)
    /// Forget the audio of this reply and of every earlier one that waits for the socket.
    case cut(epoch: Int)
    /// Forget the audio of this reply that waits for the socket; more of it may come.
    case pause(epoch: Int)
    /// These, in order.
    case all([WebSocketAction])
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
