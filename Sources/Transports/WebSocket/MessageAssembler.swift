package import NIOCore
package import NIOWebSocket

/// Puts whole WebSocket messages together from frames and refuses what RFC 6455 forbids a client.
///
/// **Feed every frame once, in order; after a violation feed nothing more.** Holds at most `limit` bytes.
package struct MessageAssembler: Sendable {
    /// What a frame brought.
    package enum Message: Sendable, Equatable {
        /// A fragment: nothing is complete yet.
        case nothing
        /// A text message; its UTF-8 is not checked yet.
        case text(ByteBuffer)
        /// A binary message.
        case binary(ByteBuffer)
        /// A question whether we live, to be answered with the same bytes.
        case ping(ByteBuffer)
        /// The answer to our question.
        case pong
        /// The peer closes, with its code if it gave one.
        case close(UInt16?)
        /// A broken frame; the connection is to be closed.
        case violation(CloseReason)
    }

    /// The most bytes of a message.
    package let limit: Int
    private var opcode: WebSocketOpcode?
    private var fragments = ByteBuffer()

    /// Makes an assembler for messages of at most `limit` bytes.
    package init(limit: Int) { self.limit = limit }

    /// Takes the next frame.
    package mutating func feed(_ frame: WebSocketFrame) -> Message {
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {  // RFC 6455 section 5.2
            return .violation(.protocolError("a WebSocket frame has reserved bits set, but no extension was agreed"))
        }
        guard let key = frame.maskKey else {  // section 5.1
            return .violation(.protocolError("a WebSocket frame of a client is not masked"))
        }
        var payload = frame.data
        payload.webSocketUnmask(key)
        switch frame.opcode {
        case .text, .binary:
            guard opcode == nil else {  // section 5.4
                return .violation(.protocolError("a new WebSocket message begins before the last one is complete"))
            }
            guard !frame.fin else { return whole(payload, as: frame.opcode) }
            opcode = frame.opcode
            return append(payload, isLast: false)
        case .continuation:
            guard opcode != nil else {
                return .violation(.protocolError("a WebSocket message continues that has not begun"))
            }
            return append(payload, isLast: frame.fin)
        case .ping, .pong, .connectionClose:
            return control(frame, payload)
        default:
            return .violation(.protocolError("a WebSocket frame has an unknown opcode"))
        }
    }

    private mutating func append(_ payload: ByteBuffer, isLast: Bool) -> Message {
        guard fragments.readableBytes + payload.readableBytes <= limit else {
            return .violation(.tooLarge(limit: limit))
        }
        fragments.writeImmutableBuffer(payload)
        guard isLast, let opcode else { return .nothing }
        defer {
            self.opcode = nil
            fragments = ByteBuffer()
        }
        return whole(fragments, as: opcode)
    }

    private func whole(_ payload: ByteBuffer, as opcode: WebSocketOpcode) -> Message {
        guard payload.readableBytes <= limit else { return .violation(.tooLarge(limit: limit)) }
        return opcode == .text ? .text(payload) : .binary(payload)
    }

    private func control(_ frame: WebSocketFrame, _ payload: ByteBuffer) -> Message {
        guard frame.fin, payload.readableBytes <= 125 else {  // section 5.5
            return .violation(.protocolError("a WebSocket control frame is fragmented or longer than 125 bytes"))
        }
        switch frame.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        default: return close(payload)
        }
    }

    /// A close frame holds nothing, or a code and a UTF-8 reason (section 5.5.1, codes in section 7.4).
    private func close(_ payload: ByteBuffer) -> Message {
        guard payload.readableBytes > 0 else { return .close(nil) }
        var payload = payload
        guard let code = payload.readInteger(as: UInt16.self), Self.isLegal(closeCode: code),
            String(validating: payload.readableBytesView, as: UTF8.self) != nil
        else { return .violation(.protocolError("a WebSocket close frame is malformed")) }
        return .close(code)
    }

    /// Codes that may stand in a frame: RFC 6455 section 7.4 and IANA's WebSocket Close Code Number Registry.
    private static func isLegal(closeCode code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
