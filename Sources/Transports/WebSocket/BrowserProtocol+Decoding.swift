#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif
package import NIOCore
package import VoiceCore

extension BrowserProtocol {
    /// A message that cannot be used; the connection is to be closed with this reason.
    package struct Violation: Error, Equatable {
        /// What to close with.
        package var reason: CloseReason
    }

    /// Reads a text message.
    ///
    /// Any bytes are legal input; nesting is bounded by the JSON parser (512 levels).
    /// - Throws: the violation, with close code 1007 (form) or 1002 (version).
    package static func decode(text: ByteBuffer) throws(Violation) -> ClientMessage {
        guard let string = String(validating: text.readableBytesView, as: UTF8.self) else {
            throw Violation(reason: .malformedText("a text message is not UTF-8"))
        }
        do {
            return try JSONDecoder().decode(Incoming.self, from: Data(string.utf8)).message
        } catch let violation as Violation {
            throw violation
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw Violation(reason: .malformedText("a text message is not JSON"))
        } catch let error as DecodingError {
            throw Violation(reason: .malformedText(explanation(of: error)))
        } catch {
            throw Violation(reason: .malformedText("a text message is not JSON"))
        }
    }

    /// Reads microphone audio.
    ///
    /// - Parameters:
    ///   - binary: a whole binary message.
    ///   - rate: the rate announced in `hello`; bounds the length to 1 s.
    /// - Returns: mono samples in [-1, 1).
    /// - Throws: the violation, with close code 1003 (form) or 1009 (length).
    package static func decode(binary: ByteBuffer, rate: SampleRate) throws(Violation) -> [Float] {
        let header = 2
        guard binary.readableBytes > header, binary.readableBytes.isMultiple(of: 2) else {
            let problem =
                "a binary message of \(binary.readableBytes) bytes: expected 2 bytes of header and 16-bit samples"
            throw Violation(reason: .unacceptableData(problem))
        }
        let view = binary.readableBytesView
        guard view[view.startIndex] == microphoneKind, view[view.startIndex + 1] == 0 else {
            throw Violation(
                reason: .unacceptableData("a binary message of an unknown kind; microphone audio is kind 1")
            )
        }
        let count = (binary.readableBytes - header) / 2
        guard count <= rate.hertz else {
            let problem = "a binary message holds \(count) samples; the most is one second, \(rate.hertz)"
            throw Violation(reason: CloseReason(code: 1009, failure: .malformedInput, message: problem))
        }
        // The pointers are valid inside the closures; the count was taken from the same buffer.
        return unsafe binary.withUnsafeReadableBytes { bytes in
            unsafe [Float](unsafeUninitializedCapacity: count) { samples, written in
                for index in 0..<count {
                    let raw = unsafe bytes.loadUnaligned(fromByteOffset: header + 2 * index, as: Int16.self)
                    unsafe samples[index] = Float(Int16(littleEndian: raw)) / 32_768
                }
                written = count
            }
        }
    }

    /// One sentence about a field that does not have the form it must have.
    private static func explanation(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "a text message lacks the field `\(key.stringValue)`"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "a text message is not a JSON object with a `type`"
                : "a text message has a wrong value in `\(context.codingPath.map(\.stringValue).joined(separator: "."))`"
        @unknown default: "a text message has an unexpected form"
        }
    }
}

/// The JSON of a page's message.
private struct Incoming: Decodable {
    let message: BrowserProtocol.ClientMessage

    private enum Key: String, CodingKey {
        case type, version, microphone, playout, epoch, samples, text, t, id
        case sampleRate = "sample_rate"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(String.self, forKey: .type) {
        case "hello": message = .hello(try Self.hello(fields))
        case "played":
            message = .played(
                epoch: try Self.count(fields, .epoch),
                samples: try Self.count(fields, .samples)
            )
        case "text": message = try Self.text(fields)
        case "interrupt": message = .interrupt
        case "cancel_job": message = .cancelJob(try fields.decode(String.self, forKey: .id))
        case "ping": message = .ping(try fields.decode(Double.self, forKey: .t))
        case "bye": message = .bye
        default: message = .ignored
        }
    }

    private static func hello(_ fields: KeyedDecodingContainer<Key>) throws -> BrowserProtocol.Hello {
        let version = try fields.decode(Int.self, forKey: .version)
        guard version == BrowserProtocol.version else {
            let problem = "version \(version) of the protocol is not spoken here, only \(BrowserProtocol.version)"
            throw BrowserProtocol.Violation(reason: .protocolError(problem + "; reload the page"))
        }
        return BrowserProtocol.Hello(
            microphone: try rate(fields, .microphone),
            playout: try rate(fields, .playout)
        )
    }

    private static func rate(_ fields: KeyedDecodingContainer<Key>, _ key: Key) throws -> SampleRate {
        let stream = try fields.nestedContainer(keyedBy: Key.self, forKey: key)
        let hertz = try stream.decode(Int.self, forKey: .sampleRate)
        guard BrowserProtocol.rates.contains(hertz) else {
            throw DecodingError.dataCorruptedError(forKey: .sampleRate, in: stream, debugDescription: "rate")
        }
        return SampleRate(hertz)
    }

    private static func count(_ fields: KeyedDecodingContainer<Key>, _ key: Key) throws -> Int {
        let value = try fields.decode(Int.self, forKey: key)
        // Positions are 32 bits wide on the wire.
        guard value >= 0, value <= Int(UInt32.max) else {
            throw DecodingError.dataCorruptedError(forKey: key, in: fields, debugDescription: "range")
        }
        return value
    }

    private static func text(_ fields: KeyedDecodingContainer<Key>) throws -> BrowserProtocol.ClientMessage {
        let text = try fields.decode(String.self, forKey: .text)
        guard text.utf16.count <= BrowserProtocol.maximumTextLength else {
            throw DecodingError.dataCorruptedError(forKey: .text, in: fields, debugDescription: "length")
        }
        let trimmed = text.trimmingPrefix(while: \.isWhitespace)
        let end = trimmed.lastIndex { !$0.isWhitespace }.map(trimmed.index(after:)) ?? trimmed.startIndex
        return end == trimmed.startIndex ? .ignored : .text(String(trimmed[..<end]))
    }
}
