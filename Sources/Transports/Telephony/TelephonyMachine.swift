internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

/// The server's side of a telephone call over a provider's media stream, as a value: Twilio, Telnyx, Plivo.
///
/// Sound is µ-law or A-law at 8 kHz both ways; no conversion of rates happens here. Marks among the sound come back when it
/// was played, so the conversation knows what the caller really heard.
struct TelephonyMachine: ~Copyable, CallMachine {
    typealias Step = CallStep<TelephonyCall>

    private let deadline: Duration
    private let patience: Duration
    private var call: TelephonyCall?
    private var marks = PlayoutMarks()
    private var keypad = KeypadDigits()

    /// Makes the machine of a connection that opened at `now`.
    init(limits: WebSocketLimits, at now: Duration) {
        patience = limits.helloTimeout
        deadline = now + patience
    }

    mutating func receive(_ message: MessageMachine.Message, at now: Duration) -> [Step] {
        guard case .text(let bytes) = message else {
            return [.close(.unacceptableData("a binary message: media streams are text"))]
        }
        guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
            return [.close(.malformedText("a text message is not UTF-8"))]
        }
        do {
            return handle(try TelephonyMessage(reading: text), now)
        } catch {
            return [.close(Self.reason(error))]
        }
    }

    private static func reason(_ problem: TelephonyMessage.Problem) -> CloseReason {
        switch problem {
        case .malformed(let problem): .malformedText(problem)
        case .unplayable(let format):
            .unacceptableData("the stream's sound is \(format); it must be µ-law or A-law, one channel at 8000 Hz")
        }
    }

    private mutating func handle(_ message: TelephonyMessage, _ now: Duration) -> [Step] {
        guard let call else {
            guard case .start(let call) = message else { return [] }
            self.call = call
            return [.greet(call)]
        }
        switch message {
        case .start: return [.close(.protocolError("`start` came twice"))]
        case .media(let bytes): return bytes.isEmpty ? [] : [.hear(call.codec.decode(bytes), .telephone)]
        case .key(let key): return keypad.press(key, at: now).map { .deliver($0) }
        case .mark(let name): return marks.played(name).map { [.deliver($0)] } ?? []
        case .stop: return [.close(.ended)]
        case .ignored: return []
        }
    }

    mutating func begin() -> [Step] { [] }

    mutating func send(_ message: TransportMessage, at now: Duration) -> [Step] {
        guard let call else { return [] }
        switch message {
        case .audio(let frame):
            let audio = OutboundQueue.Audio(epoch: frame.epoch, duration: frame.audio.duration)
            let sound = Step.send(Self.text(call.media(frame.audio.samples), audio))
            guard let mark = marks.mark(after: frame) else { return [sound] }
            return [sound, .send(Self.text(call.mark(mark)))]
        case .cut(let epoch):
            marks.clear()
            return [.cut(epoch: epoch), .send(Self.text(call.clear))]
        case .pause(let epoch):
            marks.clear()
            return [.pause(epoch: epoch), .send(Self.text(call.clear))]
        case .event: return []
        }
    }

    mutating func tick(at now: Duration) -> [Step] {
        if call == nil, now >= deadline {
            return [.close(.protocolError("no `start` came within \(Int(patience.milliseconds)) ms"))]
        }
        return keypad.tick(at: now).map { .deliver($0) }
    }

    borrowing func farewell(_ failure: VoiceError.Code, _ message: String) -> OutboundQueue.Item? { nil }

    private static func text(_ json: String, _ audio: OutboundQueue.Audio? = nil) -> OutboundQueue.Item {
        .init(opcode: .text, payload: ByteBuffer(string: json), audio: audio)
    }
}
