#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
package import NIOCore
package import VoiceCore

extension BrowserProtocol {
    /// Writes a text message as UTF-8 JSON.
    ///
    /// A measurement that is not a finite number becomes a string: a page must not lose a message over it.
    /// - Throws: ``VoiceError/Code/fault`` if the message has no JSON form, which no value of these types can cause.
    package static func encode(_ message: ServerMessage) throws(VoiceError) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "infinity",
            negativeInfinity: "-infinity",
            nan: "nan"
        )
        do {
            return ByteBuffer(bytes: try encoder.encode(Outgoing(message: message)))
        } catch {
            throw VoiceError(.fault, "a message to the page could not be written as JSON", cause: error)
        }
    }

    /// Writes a piece of a reply as a binary message of kind 2.
    ///
    /// Samples outside [-1, 1] are clipped; those that are not numbers become silence. Epoch and position keep their
    /// low 32 bits. One allocation.
    package static func encode(_ frame: PlayoutFrame) -> ByteBuffer {
        let header = 12
        let samples = frame.audio.samples
        var buffer = ByteBufferAllocator().buffer(capacity: header + 2 * samples.count)
        buffer.writeInteger(replyKind)
        buffer.writeRepeatingByte(0, count: 3)
        buffer.writeInteger(UInt32(truncatingIfNeeded: frame.epoch), endianness: .little)
        buffer.writeInteger(UInt32(truncatingIfNeeded: frame.audio.position), endianness: .little)
        // The buffer has room for 2 bytes a sample; exactly these are written.
        unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 2 * samples.count) { bytes in
            for (index, sample) in samples.enumerated() {
                unsafe bytes.storeBytes(of: pulseCode(sample).littleEndian, toByteOffset: 2 * index, as: Int16.self)
            }
            return 2 * samples.count
        }
        return buffer
    }

    /// The nearest 16-bit value of a sample in [-1, 1].
    private static func pulseCode(_ sample: Float) -> Int16 {
        guard !sample.isNaN else { return 0 }
        return Int16(max(-32_768, min(32_767, (sample * 32_768).rounded())))
    }
}

/// The JSON of a server's message.
private struct Outgoing: Encodable {
    let message: BrowserProtocol.ServerMessage

    private enum Key: String, CodingKey {
        case type, version, session, token, playout, models, advice, epoch, speaking, turn, text, final, heard, pending,
            interrupted
        case reason, report, code, message, t, id, tool, status, seq, agent, arguments, result, succeeded
        case sampleRate = "sample_rate"
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch message {
        case .ready(let welcome, let playout):
            try fields.encode("ready", forKey: .type)
            try fields.encode(BrowserProtocol.version, forKey: .version)
            try fields.encode(welcome.session, forKey: .session)
            try fields.encodeIfPresent(welcome.token, forKey: .token)
            var stream = fields.nestedContainer(keyedBy: Key.self, forKey: .playout)
            try stream.encode(playout.hertz, forKey: .sampleRate)
            try fields.encode(welcome.models, forKey: .models)
            try fields.encodeIfPresent(welcome.advice, forKey: .advice)
        case .cut(let epoch):
            try fields.encode("cut", forKey: .type)
            try fields.encode(epoch, forKey: .epoch)
        case .pause(let epoch):
            try fields.encode("pause", forKey: .type)
            try fields.encode(epoch, forKey: .epoch)
        case .event(let event): try encode(event, into: &fields)
        case .pong(let number):
            try fields.encode("pong", forKey: .type)
            try fields.encode(number, forKey: .t)
        case .bye(let code):
            try fields.encode("bye", forKey: .type)
            try fields.encode(code, forKey: .code)
        }
    }

    private func encode(_ event: SessionEvent, into fields: inout KeyedEncodingContainer<Key>) throws {
        switch event {
        case .userSpeaking(let speaking):
            try fields.encode("user_speaking", forKey: .type)
            try fields.encode(speaking, forKey: .speaking)
        case .agentSpeaking(let speaking):
            try fields.encode("agent_speaking", forKey: .type)
            try fields.encode(speaking, forKey: .speaking)
        case .userTranscript(let turn, let text, let isFinal):
            try fields.encode("user_transcript", forKey: .type)
            try fields.encode(turn, forKey: .turn)
            try fields.encode(text, forKey: .text)
            try fields.encode(isFinal, forKey: .final)
        case .agentTranscript(let turn, let heard, let pending, let isFinal, let interrupted):
            try fields.encode("agent_transcript", forKey: .type)
            try fields.encode(turn, forKey: .turn)
            try fields.encode(heard, forKey: .heard)
            try fields.encode(pending, forKey: .pending)
            try fields.encode(isFinal, forKey: .final)
            try fields.encode(interrupted, forKey: .interrupted)
        case .reply(let turn, .toolBegan(let call)):
            try fields.encode("tool_began", forKey: .type)
            try fields.encode(turn, forKey: .turn)
            try fields.encode(call.id, forKey: .id)
            try fields.encode(call.name, forKey: .tool)
            try fields.encode(call.arguments, forKey: .arguments)
        case .reply(let turn, .toolEnded(let call, let outcome)):
            try fields.encode("tool_ended", forKey: .type)
            try fields.encode(turn, forKey: .turn)
            try fields.encode(call.id, forKey: .id)
            try fields.encode(call.name, forKey: .tool)
            try fields.encode(outcome.text, forKey: .result)
            try fields.encode(outcome.succeeded, forKey: .succeeded)
        case .reply: break  // the page has no use for it; see `isForPages`
        case .job(let report):
            try fields.encode("job", forKey: .type)
            try fields.encode(report.id, forKey: .id)
            try fields.encode(report.tool, forKey: .tool)
            try fields.encode(report.status.rawValue, forKey: .status)
            try fields.encode(report.sequence, forKey: .seq)
            try fields.encode(report.text, forKey: .text)
        case .handedOver(let agent):
            try fields.encode("handed_over", forKey: .type)
            try fields.encode(agent, forKey: .agent)
        case .turnDropped(let turn, let reason):
            try fields.encode("turn_dropped", forKey: .type)
            try fields.encode(turn, forKey: .turn)
            try fields.encode(reason, forKey: .reason)
        case .turnReport(let report):
            try fields.encode("turn", forKey: .type)
            try fields.encode(report, forKey: .report)
        case .error(let code, let message):
            try fields.encode("error", forKey: .type)
            try fields.encode(code, forKey: .code)
            try fields.encode(message, forKey: .message)
        }
    }
}

extension SessionEvent {
    /// False for news that has no place in the browser's protocol.
    var isForPages: Bool {
        switch self {
        case .reply(_, .toolBegan), .reply(_, .toolEnded): true
        case .reply: false
        default: true
        }
    }
}
