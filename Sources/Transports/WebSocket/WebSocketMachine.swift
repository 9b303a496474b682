internal import NIOCore
package import NIOWebSocket
package import VoiceCore

/// The server's side of a browser's connection as a value: frames and time in, one action out.
///
/// **Feed a frame or a tick, then do what the returned action says.** No socket, clock or lock inside.
package struct WebSocketMachine: ~Copyable {
    /// What is to be done next.
    package enum Action: Sendable, Equatable {
        /// The page has greeted; the conversation may begin.
        case begin(BrowserProtocol.Hello)
        /// Something for the conversation.
        case deliver(TransportEvent)
        /// Nothing: this much microphone audio came faster than anybody can speak, and is given up.
        case discard(Duration)
        /// A text message for the page.
        case say(BrowserProtocol.ServerMessage)
        /// What every WebSocket does.
        case perform(WebSocketAction)
    }

    private enum Phase {
        case greeting(deadline: Duration)
        case conversing(SampleRate, position: Int)
    }

    private let limits: WebSocketLimits
    private var phase: Phase
    private var messages: MessageMachine
    private var microphone: AudioAllowance

    /// Makes the machine of a connection that opened at `now`.
    package init(limits: WebSocketLimits, at now: Duration) {
        self.limits = limits
        phase = .greeting(deadline: now + limits.helloTimeout)
        messages = MessageMachine(limits: limits, at: now)
        microphone = AudioAllowance(burst: limits.microphoneBurst, at: now)
    }

    /// True once a close frame was sent or answered: nothing is delivered or said any more.
    package var isClosing: Bool { messages.isClosing }

    /// Takes the next frame of the peer.
    package mutating func receive(_ frame: WebSocketFrame, at now: Duration) -> Action {
        switch messages.receive(frame, at: now) {
        case .deliver(.text(let bytes)):
            do { return handle(try BrowserProtocol.decode(text: bytes)) } catch { return close(error.reason) }
        case .deliver(.binary(let bytes)): return handle(binary: bytes, at: now)
        case .perform(let action): return .perform(action)
        }
    }

    /// Takes the failure of the frame decoder; no frame can follow it.
    package mutating func receive(_ failure: NIOWebSocketError) -> Action { .perform(messages.receive(failure)) }

    /// Takes the time; to be called a few times a second.
    package mutating func tick(at now: Duration) -> Action {
        if case .greeting(let deadline) = phase, now >= deadline {
            return close(.protocolError("no `hello` came within \(Int(limits.helloTimeout.milliseconds)) ms"))
        }
        return .perform(messages.tick(at: now))
    }

    /// Begins to close for a reason from outside the protocol.
    package mutating func close(_ reason: CloseReason) -> Action { .perform(messages.close(reason)) }

    private mutating func handle(_ message: BrowserProtocol.ClientMessage) -> Action {
        if case .greeting = phase {
            switch message {
            case .hello(let hello):
                phase = .conversing(hello.microphone, position: 0)
                return .begin(hello)
            case .ignored: return .perform(.none)
            default: return close(.protocolError("the first message must be `hello`"))
            }
        }
        switch message {
        case .hello: return close(.protocolError("`hello` came twice"))
        case .played(let epoch, let samples): return .deliver(.played(epoch: epoch, samples: samples))
        case .text(let text): return .deliver(.text(text))
        case .interrupt: return .deliver(.interrupt)
        case .cancelJob(let id): return .deliver(.cancelJob(id))
        case .ping(let number): return .say(.pong(number))
        case .bye: return close(.ended)
        case .ignored: return .perform(.none)
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
