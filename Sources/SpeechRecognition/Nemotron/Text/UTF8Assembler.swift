/// Puts characters together from single bytes, as byte tokens bring them.
///
/// Each byte that cannot be part of a character becomes U+FFFD, as in SentencePiece (`sentencepiece/src/
/// sentencepiece_processor.cc`, ProcessBytePieces). A character that is not complete yet waits.
struct UTF8Assembler: Sendable {
    private var pending: [UInt8] = []

    /// Whether no character is begun.
    var isEmpty: Bool { pending.isEmpty }

    /// Takes the next byte and appends the characters that it completes.
    mutating func feed(_ byte: UInt8, into text: inout String) {
        pending.append(byte)
        while let first = pending.first {
            let length = Self.length(after: first)
            let isBroken = pending.prefix(length).dropFirst().contains { $0 & 0xC0 != 0x80 }
            guard pending.count >= length || isBroken else { return }
            if !isBroken, let scalar = Self.scalar(pending.prefix(length)) {
                text.unicodeScalars.append(scalar)
                pending.removeFirst(length)
            } else {
                text.unicodeScalars.append("\u{FFFD}")
                pending.removeFirst()
            }
        }
    }

    /// Gives up waiting: something else than a byte came.
    mutating func flush(into text: inout String) {
        for _ in pending { text.unicodeScalars.append("\u{FFFD}") }
        pending.removeAll(keepingCapacity: true)
    }

    /// How many bytes a character has that begins with this one (RFC 3629 section 3); 1 for what begins none.
    private static func length(after first: UInt8) -> Int {
        switch first {
        case 0xC0...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF7: 4
        default: 1
        }
    }

    /// Overlong forms, surrogates and numbers beyond U+10FFFF are none.
    private static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard let first = bytes.first else { return nil }
        if bytes.count == 1 { return first < 0x80 ? Unicode.Scalar(first) : nil }
        let head = UInt32(first) & (0x7F >> UInt32(bytes.count))
        let value = bytes.dropFirst().reduce(head) { $0 << 6 | UInt32($1 & 0x3F) }
        let least: UInt32 = bytes.count == 2 ? 0x80 : bytes.count == 3 ? 0x800 : 0x10000
        return value < least ? nil : Unicode.Scalar(value)
    }
}
