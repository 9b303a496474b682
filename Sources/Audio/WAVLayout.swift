internal import VoiceCore

/// Where in a WAV file its format and its samples lie.
struct WAVLayout: Sendable {
    let format: WAVFormat
    /// Byte range of the samples, clamped to the file.
    let data: Range<Int>
    /// True when the header promises more bytes than there are.
    let isTruncated: Bool

    /// Walks the file's chunks up to the samples.
    ///
    /// Chunks other than `fmt ` and `data` are skipped, odd ones with their padding. A `data` chunk of size 0 at the end of
    /// the header, or of 0xFFFFFFFF, comes from a writer that could not seek: it reaches to the end of the file.
    /// - Throws: `malformedInput`.
    init(of bytes: borrowing RawSpan, file: String) throws(VoiceError) {
        guard bytes.byteCount > 0 else { throw VoiceError(.malformedInput, "\(file) is empty (0 bytes)") }
        guard bytes.tag(at: 0) == "RIFF", bytes.tag(at: 8) == "WAVE" else {
            throw VoiceError(.malformedInput, "\(file) is not a WAV file: it \(Self.appearance(of: bytes))")
        }
        var format: WAVFormat?
        var offset = 12
        while offset + 8 <= bytes.byteCount {
            let tag = bytes.tag(at: offset)
            let size = Int(bytes.littleEndian32(at: offset + 4))
            let body = offset + 8
            let available = bytes.byteCount - body
            switch tag {
            case "fmt ":
                format = try WAVFormat(chunk: bytes.extracting(body..<body + min(size, available)), file: file)
            case "data":
                guard let format else {
                    throw VoiceError(
                        .malformedInput,
                        "\(file): the samples come before the fmt chunk; the file is damaged"
                    )
                }
                self.format = format
                let isOpenEnded = size == 0xFFFF_FFFF || size == 0 && !Self.hasChunk(in: bytes, at: body)
                data = body..<body + (isOpenEnded ? available : min(size, available))
                isTruncated = !isOpenEnded && size > available
                return
            default:
                break
            }
            offset = body + size + size % 2
        }
        throw VoiceError(
            .malformedInput,
            "\(file): no \(format == nil ? "fmt" : "data") chunk in its \(bytes.byteCount) bytes; the file is cut short or damaged"
        )
    }

    /// Tells an empty `data` chunk that other chunks follow from one whose size was never filled in.
    private static func hasChunk(in bytes: borrowing RawSpan, at offset: Int) -> Bool {
        guard offset + 8 <= bytes.byteCount else { return false }
        let isName = (offset..<offset + 4).allSatisfy { (0x20...0x7E).contains(bytes.byte(at: $0)) }
        return isName && offset + 8 + Int(bytes.littleEndian32(at: offset + 4)) <= bytes.byteCount
    }

    /// What bytes that are no WAV file look like, as the end of a sentence.
    private static func appearance(of bytes: borrowing RawSpan) -> String {
        if bytes.tag(at: 0) == "RIFF" {
            return bytes.byteCount < 12
                ? "has only \(bytes.byteCount) bytes" : "is a RIFF file of another kind (\(bytes.tag(at: 8)))"
        }
        for (magic, what) in magics where bytes.hasPrefix(magic) { return "looks like \(what)" }
        if bytes.byteCount >= 12, bytes.tag(at: 4) == "ftyp" { return "looks like MP4 or M4A" }
        if bytes.byteCount >= 2, bytes.byte(at: 0) == 0xFF, bytes.byte(at: 1) & 0xE0 == 0xE0 { return "looks like MP3" }
        let head = 0..<min(bytes.byteCount, 256)
        let isText = head.allSatisfy { bytes.byte(at: $0) >= 0x20 || (0x09...0x0D).contains(bytes.byte(at: $0)) }
        if isText { return "looks like text" }
        return bytes.byteCount < 12 ? "has only \(bytes.byteCount) bytes" : "does not begin with RIFF and WAVE"
    }

    private static let magics: [([UInt8], String)] = [
        (Array("ID3".utf8), "MP3"), (Array("OggS".utf8), "Ogg"), (Array("fLaC".utf8), "FLAC"),
        (Array("FORM".utf8), "AIFF"), (Array("RF64".utf8), "RF64 (a WAV over 4 GiB)"),
        (Array("RIFX".utf8), "big-endian WAV"),
        (Array("caff".utf8), "Apple CAF"), (Array("#!AMR".utf8), "AMR"),
        ([0x1A, 0x45, 0xDF, 0xA3], "WebM or Matroska"),
        ([0x50, 0x4B, 3, 4], "a ZIP archive"), ([0x1F, 0x8B], "gzip"), (Array("GGUF".utf8), "a GGUF model"),
    ]
}

extension RawSpan {
    /// The byte at `offset`, which must lie inside.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)  // bounds-checked
    }

    /// The four characters at `offset`; shorter where the bytes end.
    fileprivate func tag(at offset: Int) -> String {
        String(
            decoding: (offset..<Swift.max(offset, Swift.min(offset + 4, byteCount))).map { byte(at: $0) },
            as: UTF8.self
        )
    }

    fileprivate func hasPrefix(_ prefix: [UInt8]) -> Bool {
        byteCount >= prefix.count && prefix.indices.allSatisfy { byte(at: $0) == prefix[$0] }
    }
}
