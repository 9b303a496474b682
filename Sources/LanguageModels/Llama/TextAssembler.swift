/// Turns the bytes of tokens into text, holding back a character until its last byte is there.
struct TextAssembler: Sendable {
    private var pending: [UInt8] = []

    /// Whether no part of a character is held back.
    var isAtBoundary: Bool { pending.isEmpty }

    /// Adds bytes and returns the characters that are now complete. Bytes that cannot begin or continue a character
    /// become U+FFFD.
    mutating func append(_ bytes: [UInt8]) -> String {
        pending += bytes
        let complete = pending.count - incompleteTail
        defer { pending.removeFirst(complete) }
        return String(decoding: pending.prefix(complete), as: UTF8.self)
    }

    /// Bytes at the end that begin a character whose rest may still come.
    private var incompleteTail: Int {
        for (back, byte) in pending.reversed().prefix(4).enumerated() {
            if byte & 0b1100_0000 == 0b1000_0000 { continue }
            let length =
                switch byte {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 1
                }
            return length > back + 1 ? back + 1 : 0
        }
        return 0
    }
}
