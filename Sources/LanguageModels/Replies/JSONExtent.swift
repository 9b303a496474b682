/// Finds the end of an object or list of JSON in bytes that come one at a time.
struct JSONExtent: Sendable {
    private var bytes: [UInt8] = []
    private var depth = 0
    private(set) var isInText = false
    private var isEscaped = false

    /// What was read.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Reads a byte; true when it closes what the first one opened.
    mutating func take(_ byte: UInt8) -> Bool {
        bytes.append(byte)
        if isInText {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInText = false
            }
            return false
        }
        switch byte {
        case UInt8(ascii: "\""): isInText = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        return depth == 0
    }
}
