internal import VoiceCore

/// How the samples of a WAV file are stored.
///
/// Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (RIFF WAVE) and "Multiple Channel
/// Audio Data and WAVE Files" (the extensible form).
struct WAVFormat: Sendable, Equatable {
    /// How one sample is coded.
    enum Coding: Sendable, Equatable {
        /// Linear; 8 bits are unsigned, more are signed little-endian.
        case integer(bits: Int)
        /// IEEE 754, 32 or 64 bits.
        case float(bits: Int)
        /// G.711 µ-law.
        case muLaw
        /// G.711 A-law.
        case aLaw
    }

    var coding: Coding
    var channels: Int
    var rate: SampleRate

    /// Bytes of one sample of one channel.
    var bytesPerSample: Int {
        switch coding {
        case .integer(let bits), .float(let bits): bits / 8
        case .muLaw, .aLaw: 1
        }
    }

    /// Rates outside of this are taken for damage, not for audio.
    static let plausibleRates = 1_000...768_000
    /// More channels are taken for damage.
    static let plausibleChannels = 1...64

    /// Reads the body of a `fmt ` chunk.
    /// - Parameter file: the file's name, for messages.
    /// - Throws: `malformedInput` when it is too short, absurd, or of a codec that is not supported.
    init(chunk bytes: borrowing RawSpan, file: String) throws(VoiceError) {
        guard bytes.byteCount >= 16 else {
            throw VoiceError(
                .malformedInput,
                "\(file): the fmt chunk has \(bytes.byteCount) bytes instead of 16 or more"
            )
        }
        var tag = Int(bytes.littleEndian16(at: 0))
        let channels = Int(bytes.littleEndian16(at: 2))
        let hertz = Int(bytes.littleEndian32(at: 4))
        let bits = Int(bytes.littleEndian16(at: 14))
        if tag == 0xFFFE, bytes.byteCount >= 26 {
            tag = Int(bytes.littleEndian16(at: 24))  // the first bytes of the sub-format's GUID are the classic tag
        }
        guard Self.plausibleChannels.contains(channels) else {
            throw VoiceError(.malformedInput, "\(file): the header says \(channels) channels; the file is damaged")
        }
        guard Self.plausibleRates.contains(hertz) else {
            throw VoiceError(.malformedInput, "\(file): the header says \(hertz) Hz; the file is damaged")
        }
        switch (tag, bits) {
        case (1, 8), (1, 16), (1, 24), (1, 32): coding = .integer(bits: bits)
        case (3, 32), (3, 64): coding = .float(bits: bits)
        case (6, 8): coding = .aLaw
        case (7, 8): coding = .muLaw
        case (1, _), (3, _), (6, _), (7, _):
            throw VoiceError(.malformedInput, "\(file): \(bits)-bit samples of WAV format \(tag) are not supported")
        default:
            throw VoiceError(
                .malformedInput,
                "\(file): WAV codec \(tag)\(Self.names[tag].map { " (\($0))" } ?? "") is not supported; "
                    + "convert it to 16-bit PCM"
            )
        }
        self.channels = channels
        rate = SampleRate(hertz)
    }

    private static let names = [
        2: "Microsoft ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x50: "MPEG", 0x55: "MP3", 0xFF: "AAC",
        0x161: "Windows Media Audio",
    ]
}

extension RawSpan {
    /// The 16-bit little-endian number at `offset`, which must lie inside.
    func littleEndian16(at offset: Int) -> UInt16 {
        unsafe UInt16(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))  // bounds-checked
    }

    /// The 32-bit little-endian number at `offset`, which must lie inside.
    func littleEndian32(at offset: Int) -> UInt32 {
        unsafe UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))  // bounds-checked
    }

    /// The 64-bit little-endian number at `offset`, which must lie inside.
    func littleEndian64(at offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))  // bounds-checked
    }
}
