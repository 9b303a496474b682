internal import VoiceCore

/// Reads events for a stateful target out of the bytes of an input; beyond their end there is nothing but zeros.
struct FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// True once all bytes are read.
    var isAtEnd: Bool { position >= bytes.count }

    /// The next byte.
    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    /// The next two bytes, highest first.
    mutating func number() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    /// As many bytes as the next two say, or as there are.
    mutating func block() -> [UInt8] {
        let count = Int(number())
        let block = bytes[min(position, bytes.count)...].prefix(count)
        position += block.count
        return Array(block)
    }

    /// All bytes that are left.
    mutating func rest() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[min(position, bytes.count)...])
    }

    /// A pause: mostly short, now and then long enough for any timer.
    mutating func pause() -> Duration {
        let byte = byte()
        return byte < 0xf0 ? .milliseconds(Int(byte)) : .seconds(Int(byte & 0x0f) * 4)
    }

    /// Bytes that ``block()`` reads.
    static func block(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8 & 0xff), UInt8(bytes.count & 0xff)] + bytes
    }
}
