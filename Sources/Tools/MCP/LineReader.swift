internal import VoiceCore

/// Takes a stream of bytes apart into lines. A value; however the bytes are split, the lines are the same.
struct LineReader: Sendable {
    /// What happens to a line that is too long.
    enum Excess: Sendable {
        /// The stream is given up.
        case refuse
        /// Its end is left out.
        case cut
    }

    /// The most bytes of a line.
    let longest: Int
    let excess: Excess
    private var line: [UInt8] = []

    init(longest: Int, excess: Excess) {
        self.longest = longest
        self.excess = excess
    }

    /// Takes the next bytes and gives the lines that they end; empty ones are left out.
    /// - Throws: ``VoiceError/Code/malformedInput`` for a line that is too long.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(VoiceError) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                if !line.isEmpty { lines.append(String(decoding: line, as: UTF8.self)) }
                line.removeAll(keepingCapacity: true)
            default:
                if line.count < longest {
                    line.append(byte)
                } else if excess == .refuse {
                    throw VoiceError(.malformedInput, "sends a line of more than \(longest) bytes")
                }
            }
        }
        return lines
    }
}
