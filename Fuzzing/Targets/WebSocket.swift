internal import NIOCore
internal import NIOWebSocket
internal import VoiceCore

@testable internal import Transports

extension FuzzTarget {
    /// A client's WebSocket frames, put together to messages of at most 64 bytes.
    ///
    /// Claims: no message is longer than that; the bytes of a message are those of its frames; a pong is no longer than its ping.
    static let websocket = FuzzTarget(name: "websocket", seeds: { frames }) { bytes in
        var input = FuzzInput(bytes)
        var assembler = MessageAssembler(limit: 64)
        var sent = 0
        for _ in 0..<200 where !input.isAtEnd {
            let frame = Frames.next(&input)
            if !frame.opcode.isControlOpcode { sent += frame.data.readableBytes }
            switch assembler.feed(frame) {
            case .text(let message), .binary(let message):
                try claim(message.readableBytes <= 64, "no message is longer than the limit")
                try claim(message.readableBytes == sent, "a message is its frames")
                sent = 0
            case .ping(let payload): try claim(payload.readableBytes <= 125, "a ping is short")
            case .close(let code): try claim(code.map { $0 >= 1000 } ?? true, "codes begin at 1000")
            case .violation: return
            case .nothing, .pong: break
            }
        }
    }

    /// The page's protocol behind its WebSocket.
    ///
    /// Claims: after a close nothing is delivered; sound keeps its place and is in [-1, 1); texts are short and not empty.
    static let browser = FuzzTarget(name: "browser", seeds: { pages }) { bytes in
        var input = FuzzInput(bytes)
        var machine = WebSocketMachine(limits: WebSocketLimits(), at: .zero)
        var (now, position) = (Duration.zero, 0)
        for _ in 0..<200 where !input.isAtEnd {
            let wasClosing = machine.isClosing
            let frame = Frames.next(&input)
            let action = machine.receive(frame, at: now)
            if wasClosing {
                try claim(
                    action == .perform(.none) || action == .perform(.disconnect(isDead: false)),
                    "after a close nothing is delivered"
                )
            }
            if case .discard(let duration) = action {
                try claim(duration <= .seconds(1), "a message holds a second at most")
            }
            if case .deliver(.audio(let audio)) = action {
                try claim(audio.position >= position, "sound keeps its place")
                try claim(audio.samples.allSatisfy { (-1..<1).contains($0) }, "samples are in [-1, 1)")
                position = audio.position + audio.samples.count
            }
            if case .deliver(.text(let text)) = action {
                try claim((1...4000).contains(text.utf16.count), "texts are short and not empty")
            }
            now += .milliseconds(frame.fin ? 20 : 400)
            _ = machine.tick(at: now)
        }
    }

    private static var frames: [[UInt8]] {
        let text = Array("hello".utf8)
        let fragments =
            Frames.bytes(.text, text, isLast: false) + Frames.bytes(.ping, [1]) + Frames.bytes(.continuation, text)
        let close = Frames.bytes(.connectionClose, [3, 232]) + Frames.bytes(.connectionClose, [])
        return [Frames.bytes(.text, text), fragments, Frames.bytes(.binary, [1, 2]) + Frames.bytes(.pong, []) + close]
    }

    private static var pages: [[UInt8]] {
        let hello = Frames.bytes(.text, Array(Texts.browser[0].utf8))
        let sound = Frames.bytes(.binary, [1, 0] + [UInt8](repeating: 0x80, count: 320))
        let texts = Texts.browser.dropFirst().map { Frames.bytes(.text, Array($0.utf8)) }
        return [hello + sound + sound + texts.joined()] + texts.map { hello + $0 }
    }
}

/// Frames of a client.
private enum Frames {
    /// Two bytes of bits and opcode, then the payload.
    static func next(_ input: inout FuzzInput) -> WebSocketFrame {
        let (first, second) = (input.byte(), input.byte())
        var data = ByteBuffer(bytes: input.block())
        let key = WebSocketMaskingKey([1, 2, 3, second])
        if let key { data.webSocketMask(key) }
        return WebSocketFrame(
            fin: first & 0x80 != 0,
            rsv1: first & 0x70 == 0x70,
            opcode: WebSocketOpcode(encodedWebSocketOpcode: first & 0x0f) ?? .text,
            // One in 256 is not masked.
            maskKey: second == 0xff ? nil : key,
            data: data
        )
    }

    static func bytes(_ opcode: WebSocketOpcode, _ payload: [UInt8], isLast: Bool = true) -> [UInt8] {
        let number = (UInt8(0)..<16).first { WebSocketOpcode(encodedWebSocketOpcode: $0) == opcode } ?? 1
        return [(isLast ? 0x80 : 0) | number, 0] + FuzzInput.block(payload)
    }
}

extension WebSocketOpcode {
    fileprivate var isControlOpcode: Bool { self == .ping || self == .pong || self == .connectionClose }
}
