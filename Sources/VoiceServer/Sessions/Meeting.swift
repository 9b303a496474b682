internal import NIOCore
internal import Transports
internal import VoiceCore

/// A connection over which a conversation can be held.
protocol Meeting: Sendable {
    /// Succeeds when it is over.
    var closed: EventLoopFuture<Void> { get }
    /// True once either side has begun to end it.
    var isClosing: Bool { get }
    /// Hands the conversation an event that did not come from the peer.
    func deliver(_ event: TransportEvent)
    /// Ends it in good order.
    func close(_ reason: CloseReason)
}

extension WebSocketConnection: Meeting {}
extension WebRTCConnection: Meeting {}
