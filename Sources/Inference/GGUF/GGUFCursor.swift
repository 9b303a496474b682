internal import VoiceCore

/// Reads a GGUF file front to back. Every read is checked against the end of the file; nothing traps.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    let path: String
    var offset = 0

    /// Bytes left.
    var remaining: Int { bytes.count - offset }

    init(_ bytes: UnsafeRawBufferPointer, path: String, at offset: Int = 0) {
        self.bytes = bytes
        self.path = path
        self.offset = offset
    }

    /// Takes one little-endian number.
    mutating func number<Number: FixedWidthInteger>(
        _ what: @autoclosure () -> String,
        as: Number.Type = Number.self
    ) throws(VoiceError) -> Number {
        let size = MemoryLayout<Number>.size
        guard remaining >= size else { throw truncated(what()) }
        // In bounds: the guard above; unaligned loads of integers are allowed.
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
        offset += size
        return Number(littleEndian: value)
    }

    /// Takes a 64-bit count of things that each take at least `minimumBytes` of the rest of the file.
    mutating func count(_ what: @autoclosure () -> String, minimumBytes: Int) throws(VoiceError) -> Int {
        let value: UInt64 = try number(what())
        guard value <= UInt64(remaining / minimumBytes) else {
            throw malformed("\(what()) is \(value), more than the \(bytes.count) bytes of the file can hold")
        }
        return Int(value)
    }

    /// Takes a length-prefixed string.
    mutating func string(_ what: @autoclosure () -> String) throws(VoiceError) -> String {
        let range = try stringRange(what())
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw malformed("\(what()) is not UTF-8")
        }
        return text
    }

    /// Steps over a length-prefixed string and says where its bytes are.
    mutating func stringRange(_ what: @autoclosure () -> String) throws(VoiceError) -> Range<Int> {
        let length = try count("the length of \(what())", minimumBytes: 1)
        defer { offset += length }
        return offset..<(offset + length)
    }

    /// Steps over `count` things of `size` bytes; `count` is already bounded by the file's size.
    mutating func skip(_ count: Int, of size: Int, _ what: @autoclosure () -> String) throws(VoiceError) {
        guard count <= remaining / size else { throw truncated(what()) }
        offset += count * size
    }

    func truncated(_ what: String) -> VoiceError {
        malformed("it ends after \(bytes.count) bytes, inside \(what)")
    }

    func malformed(_ what: String) -> VoiceError { Self.malformed(path, what) }

    static func malformed(_ path: String, _ what: String) -> VoiceError {
        VoiceError(
            .malformedInput,
            "\(path) is not a usable GGUF file: \(what). Fetch it again or choose another file."
        )
    }
}
