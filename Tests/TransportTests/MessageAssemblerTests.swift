internal import NIOCore
internal import NIOWebSocket
internal import Testing

@testable internal import Transports

/// A frame as a client sends it: masked.
func clientFrame(
    _ opcode: WebSocketOpcode,
    _ payload: [UInt8] = [],
    fin: Bool = true,
    rsv1: Bool = false,
    isMasked: Bool = true
) -> WebSocketFrame {
    guard isMasked else {
        return WebSocketFrame(fin: fin, rsv1: rsv1, opcode: opcode, data: ByteBuffer(bytes: payload))
    }
    let key: WebSocketMaskingKey = [0x12, 0x34, 0x56, 0x78]
    var data = ByteBuffer(bytes: payload)
    data.webSocketMask(key)
    return WebSocketFrame(fin: fin, rsv1: rsv1, opcode: opcode, maskKey: key, data: data)
}

@Suite struct MessageAssemblerTests {
    @Test func `a whole frame is a message, unmasked`() {
        var assembler = MessageAssembler(limit: 100)
        #expect(assembler.feed(clientFrame(.text, [104, 105])) == .text(ByteBuffer(string: "hi")))
        #expect(assembler.feed(clientFrame(.binary, [1, 2, 3])) == .binary(ByteBuffer(bytes: [1, 2, 3])))
        #expect(assembler.feed(clientFrame(.text)) == .text(ByteBuffer()))
    }

    @Test func `fragments become one message, with a ping between them`() {
        var assembler = MessageAssembler(limit: 100)
        #expect(assembler.feed(clientFrame(.binary, [1], fin: false)) == .nothing)
        #expect(assembler.feed(clientFrame(.ping, [9])) == .ping(ByteBuffer(bytes: [9])))
        #expect(assembler.feed(clientFrame(.continuation, [2], fin: false)) == .nothing)
        #expect(assembler.feed(clientFrame(.continuation, [3])) == .binary(ByteBuffer(bytes: [1, 2, 3])))
        #expect(assembler.feed(clientFrame(.text, [65])) == .text(ByteBuffer(string: "A")))
    }

    @Test func `fragments together may not exceed the limit`() {
        var assembler = MessageAssembler(limit: 4)
        #expect(assembler.feed(clientFrame(.binary, [1, 2, 3], fin: false)) == .nothing)
        #expect(assembler.feed(clientFrame(.continuation, [4, 5])).code == 1009)
    }

    @Test(arguments: [
        clientFrame(.text, [65], isMasked: false), clientFrame(.text, [65], rsv1: true),
        clientFrame(.continuation, [1]),
        clientFrame(.ping, [1], fin: false), clientFrame(.pong, [UInt8](repeating: 0, count: 126)),
        clientFrame(WebSocketOpcode(encodedWebSocketOpcode: 0x3) ?? .text), clientFrame(.connectionClose, [3]),
        clientFrame(.connectionClose, [0x03, 0xed]), clientFrame(.connectionClose, [0, 1]),
        clientFrame(.connectionClose, [0x03, 0xe8, 0xff]),
    ])
    func `what RFC 6455 forbids closes with 1002`(frame: WebSocketFrame) {
        var assembler = MessageAssembler(limit: 1_000)
        #expect(assembler.feed(frame).code == 1002)
    }

    @Test func `a new message inside a fragmented one closes with 1002`() {
        var assembler = MessageAssembler(limit: 100)
        _ = assembler.feed(clientFrame(.text, [65], fin: false))
        #expect(assembler.feed(clientFrame(.text, [65])).code == 1002)
    }

    @Test func `a close frame carries a code or none`() {
        var assembler = MessageAssembler(limit: 100)
        #expect(assembler.feed(clientFrame(.connectionClose)) == .close(nil))
        #expect(assembler.feed(clientFrame(.connectionClose, [0x03, 0xe9, 65])) == .close(1001))
        #expect(assembler.feed(clientFrame(.connectionClose, [0x0f, 0xa0])) == .close(4000))
    }
}

extension MessageAssembler.Message {
    fileprivate var code: UInt16? {
        if case .violation(let reason) = self { return reason.code }
        return nil
    }
}
