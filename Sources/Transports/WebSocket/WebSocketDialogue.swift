internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// What is said over a WebSocket: all in which protocols differ. Lives on the connection's event loop.
protocol WebSocketDialogue: AnyObject, SendableMetatype {
    /// False while the handler is to leave the peer's bytes in the socket.
    var isReading: Bool { get }
    /// Takes the next frame of the peer.
    func receive(_ frame: WebSocketFrame, at now: Duration) -> WebSocketAction
    /// Takes the failure of the frame decoder; no frame can follow it.
    func receive(_ failure: NIOWebSocketError) -> WebSocketAction
    /// Takes the time, a few times a second.
    func tick(at now: Duration) -> WebSocketAction
    /// Begins to close for a reason from outside.
    func close(_ reason: CloseReason) -> WebSocketAction
    /// The protocol's own message for a failure, sent before the close frame; nil if it has none.
    func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item?
    /// Hears that nothing more will come. May be called more than once.
    func end()
}
