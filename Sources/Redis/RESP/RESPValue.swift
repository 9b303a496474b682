package import NIOCore

/// A value of RESP, the protocol of Redis, version 2.
///
/// Source: https://redis.io/docs/latest/develop/reference/protocol-spec/, "RESP protocol description".
package enum RESPValue: Sendable, Equatable {
    /// A simple string: `+OK`.
    case text(String)
    /// A simple error: `-ERR unknown command`. The first word says which.
    case failure(String)
    /// An integer: `:1000`.
    case number(Int)
    /// A bulk string: any bytes.
    case bytes([UInt8])
    /// An array.
    case list([RESPValue])
    /// The null bulk string, or the null array.
    case null

    /// A command: an array of bulk strings ("Sending commands to a Redis server").
    package static func command(_ words: [String]) -> RESPValue { .list(words.map { .bytes(Array($0.utf8)) }) }

    /// The words of a string of either kind; nil for anything else, and for bytes that are no UTF-8.
    package var string: String? {
        switch self {
        case .text(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        case .failure, .number, .list, .null: nil
        }
    }

    /// An integer, also one that is written in a string, as values of hashes are.
    package var whole: Int? {
        if case .number(let number) = self { number } else { string.flatMap { Int($0) } }
    }

    /// The elements of an array.
    package var elements: [RESPValue]? { if case .list(let elements) = self { elements } else { nil } }

    /// Appends the value as it goes over the wire. A line end in a simple string or error, which cannot stand there, becomes a
    /// space.
    package func write(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): Self.writeLine("+", text, to: &buffer)
        case .failure(let text): Self.writeLine("-", text, to: &buffer)
        case .number(let number): Self.writeLine(":", "\(number)", to: &buffer)
        case .bytes(let bytes):
            Self.writeLine("$", "\(bytes.count)", to: &buffer)
            buffer.writeBytes(bytes)
            buffer.writeString("\r\n")
        case .list(let elements):
            Self.writeLine("*", "\(elements.count)", to: &buffer)
            for element in elements { element.write(to: &buffer) }
        case .null: buffer.writeString("$-1\r\n")
        }
    }

    private static func writeLine(_ sign: String, _ text: String, to buffer: inout ByteBuffer) {
        buffer.writeString(sign)
        buffer.writeBytes(text.utf8.map { $0 == 0x0d || $0 == 0x0a ? 0x20 : $0 })
        buffer.writeString("\r\n")
    }
}
