/// Finds a mark in bytes that come one at a time. Its first byte occurs in it only once.
struct Marker: Sendable {
    private let bytes: [UInt8]
    private var matched = 0

    init(_ text: StaticString) { bytes = Array("\(text)".utf8) }

    /// Reads a byte; true when it was the mark's last.
    mutating func take(_ byte: UInt8) -> Bool {
        if matched == bytes.count { matched = 0 }
        matched = byte == bytes[matched] ? matched + 1 : byte == bytes[0] ? 1 : 0
        return matched == bytes.count
    }
}
