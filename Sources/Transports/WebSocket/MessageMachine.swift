package import NIOCore
package import NIOWebSocket
internal import VoiceCore

/// The part of a server's WebSocket that all protocols share, as a value: whole messages from frames, signs of life, the
/// closing handshake (RFC 6455).
///
/// **Feed a frame or a tick, then do what the returned action says.** No socket, clock or lock inside.
package struct MessageMachine: ~Copyable {
    /// A whole message of the peer.
    package enum Message: Sendable, Equatable {
        /// Text; its UTF-8 is not checked yet.
        case text(ByteBuffer)
        /// Anything else.
        case binary(ByteBuffer)
    }

    /// What a frame brought.
    package enum Outcome: Sendable, Equatable {
        /// A message for the protocol above.
        case deliver(Message)
        /// Something to be done.
        case perform(WebSocketAction)
    }

    private let limits: WebSocketLimits
    private var assembler: MessageAssembler
    private var nextPing: Duration
    private var unanswered = 0
    private var lastMessage: Duration

    /// True once a close frame was sent or answered: nothing is delivered any more.
    package private(set) var isClosing = false

    /// Makes the machine of a connection that opened at `now`.
    package init(limits: WebSocketLimits, at now: Duration) {
        self.limits = limits
        assembler = MessageAssembler(limit: limits.messageBytes)
        nextPing = now + limits.pingInterval
        lastMessage = now
    }

    /// Takes the next frame of the peer.
    package mutating func receive(_ frame: WebSocketFrame, at now: Duration) -> Outcome {
        unanswered = 0
        if isClosing { return .perform(frame.opcode == .connectionClose ? .disconnect(isDead: false) : .none) }
        switch assembler.feed(frame) {
        case .nothing, .pong: return .perform(.none)
        case .ping(let payload): return .perform(.pong(payload))
        case .violation(let reason): return .perform(close(reason))
        case .close(let code):
            isClosing = true
            return .perform(.answerClose(code))
        case .text(let bytes):
            lastMessage = now
            return .deliver(.text(bytes))
        case .binary(let bytes):
            lastMessage = now
            return .deliver(.binary(bytes))
        }
    }

    /// Takes the failure of the frame decoder; no frame can follow it.
    package mutating func receive(_ failure: NIOWebSocketError) -> WebSocketAction {
        switch failure {
        case .invalidFrameLength: close(.tooLarge(limit: limits.messageBytes))
        case .fragmentedControlFrame, .multiByteControlFrameLength:
            close(.protocolError("a WebSocket control frame is fragmented or longer than 125 bytes"))
        }
    }

    /// Takes the time; to be called a few times a second.
    ///
    /// - Parameter isReading: false while we do not read from the socket. What the peer says stays unread then, its pongs
    ///   too, so its silence means nothing.
    package mutating func tick(at now: Duration, isReading: Bool = true) -> WebSocketAction {
        if isClosing { return .none }
        guard isReading else {
            unanswered = 0
            lastMessage = now
            return .none
        }
        if let timeout = limits.idleTimeout, now - lastMessage >= timeout {
            return close(.idle(timeout))
        }
        guard now >= nextPing else { return .none }
        guard unanswered < limits.missedPings else {
            isClosing = true
            return .disconnect(isDead: true)
        }
        unanswered += 1
        nextPing = now + limits.pingInterval
        return .ping
    }

    /// Begins to close for a reason from outside.
    package mutating func close(_ reason: CloseReason) -> WebSocketAction {
        if isClosing { return .none }
        isClosing = true
        return .close(reason)
    }
}
