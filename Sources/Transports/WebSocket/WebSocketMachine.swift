package import NIOCore
package import NIOWebSocket
package import VoiceCore

/// The server's side of a browser's connection as a value: frames and time in, one action out.
///
/// **Feed a frame or a tick, then do what the returned action says.** No socket, clock or lock inside.
package struct WebSocketMachine: ~Copyable {
    /// What is to be done next.
    package enum Action: Sendable, Equatable {
        /// Nothing.
        case none
        /// The page has greeted; the conversation may begin.
        case begin(BrowserProtocol.Hello)
        /// Something for the conversation.
        case deliver(TransportEvent)
        /// Nothing: this much microphone audio came faster than anybody can speak, and is given up.
        case discard(Duration)
        /// A text message for the page.
        case say(BrowserProtocol.ServerMessage)
        /// A pong frame with these bytes.
        case pong(ByteBuffer)
        /// A ping frame.
        case ping
        /// Tell the page why, send a close frame, wait for the peer's.
        case close(CloseReason)
        /// Answer the peer's close frame with this code and disconnect.
        case answerClose(UInt16?)
        /// Disconnect: the closing handshake is complete, or the peer is dead.
        case disconnect(isDead: Bool)
    }

    private enum Phase {
        case greeting(deadline: Duration)
        case conversing(SampleRate, position: Int)
        case closing
    }

    private let limits: WebSocketLimits
    private var phase: Phase
    private var assembler: MessageAssembler
    private var microphone: AudioAllowance
    private var nextPing: Duration
    private var unanswered = 0

    /// Makes the machine of a connection that opened at `now`.
    package init(limits: WebSocketLimits, at now: Duration) {
        self.limits = limits
        phase = .greeting(deadline: now + limits.helloTimeout)
        assembler = MessageAssembler(limit: limits.messageBytes)
        microphone = AudioAllowance(burst: limits.microphoneBurst, at: now)
        nextPing = now + limits.pingInterval
    }

    /// True once a close frame was sent or answered: nothing is delivered or said any more.
    package var isClosing: Bool {
        if case .closing = phase { return true }
        return false
    }

    /// Takes the next frame of the peer.
    package mutating func receive(_ frame: WebSocketFrame, at now: Duration) -> Action {
        unanswered = 0
        if isClosing { return frame.opcode == .connectionClose ? .disconnect(isDead: false) : .none }
        switch assembler.feed(frame) {
        case .nothing, .pong: return .none
        case .ping(let payload): return .pong(payload)
        case .violation(let reason): return close(reason)
        case .close(let code):
            phase = .closing
            return .answerClose(code)
        case .text(let bytes):
            do { return handle(try BrowserProtocol.decode(text: bytes)) } catch { return close(error.reason) }
        case .binary(let bytes): return handle(binary: bytes, at: now)
        }
    }

    /// Takes the failure of the frame decoder; no frame can follow it.
    package mutating func receive(_ failure: NIOWebSocketError) -> Action {
        if isClosing { return .none }
        switch failure {
        case .invalidFrameLength: return close(.tooLarge(limit: limits.messageBytes))
        case .fragmentedControlFrame, .multiByteControlFrameLength:
            return close(.protocolError("a WebSocket control frame is fragmented or longer than 125 bytes"))
        }
    }

    /// Takes the time; to be called a few times a second.
    package mutating func tick(at now: Duration) -> Action {
        if isClosing { return .none }
        if case .greeting(let deadline) = phase, now >= deadline {
            return close(.protocolError("no `hello` came within \(Int(limits.helloTimeout.milliseconds)) ms"))
        }
        guard now >= nextPing else { return .none }
        guard unanswered < limits.missedPings else {
            phase = .closing
            return .disconnect(isDead: true)
        }
        unanswered += 1
        nextPing = now + limits.pingInterval
        return .ping
    }

    /// Begins to close for a reason from outside the protocol.
    package mutating func close(_ reason: CloseReason) -> Action {
        if isClosing { return .none }
        phase = .closing
        return .close(reason)
    }

    private mutating func handle(_ message: BrowserProtocol.ClientMessage) -> Action {
        if case .greeting = phase {
            switch message {
            case .hello(let hello):
                phase = .conversing(hello.microphone, position: 0)
                return .begin(hello)
            case .ignored: return .none
            default: return close(.protocolError("the first message must be `hello`"))
            }
        }
        switch message {
        case .hello: return close(.protocolError("`hello` came twice"))
        case .played(let epoch, let samples): return .deliver(.played(epoch: epoch, samples: samples))
        case .text(let text): return .deliver(.text(text))
        case .interrupt: return .deliver(.interrupt)
        case .ping(let number): return .say(.pong(number))
        case .bye: return close(.ended)
        case .ignored: return .none
        }
    }

    private mutating func handle(binary: ByteBuffer, at now: Duration) -> Action {
        guard case .conversing(let rate, let position) = phase else {
            return close(.protocolError("the first message must be `hello`"))
        }
        do {
            let samples = try BrowserProtocol.decode(binary: binary, rate: rate)
            phase = .conversing(rate, position: position + samples.count)
            let frame = AudioFrame(samples: samples, rate: rate, position: position)
            return microphone.admits(frame.duration, at: now) ? .deliver(.audio(frame)) : .discard(frame.duration)
        } catch {
            return close(error.reason)
        }
    }
}
