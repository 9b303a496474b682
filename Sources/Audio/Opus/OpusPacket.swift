internal import COpus
package import VoiceCore

/// What an Opus packet says of itself, read without decoding (RFC 6716 section 3).
package struct OpusPacket: Sendable, Equatable {
    /// The longest packet that is taken, in bytes: more than fits into a datagram.
    package static let maximumLength = 4_000
    /// Opus's clock in RTP, whatever rate is coded (RFC 7587 section 4.1).
    package static let clock = SampleRate.wideband

    /// The sound's length in samples at 48 kHz: 2.5 to 120 ms.
    package let samples: Int
    /// True when the packet may also hold what was in the one before, at a lower rate (RFC 6716 section 2.1.7).
    package let hasCorrection: Bool

    /// Checks a packet.
    ///
    /// - Throws: `malformedInput` when it breaks one of the rules of RFC 6716 section 3.4.
    package init(_ bytes: [UInt8]) throws(VoiceError) {
        guard !bytes.isEmpty, bytes.count <= Self.maximumLength else {
            throw VoiceError(
                .malformedInput,
                "an Opus packet of \(bytes.count) bytes: 1 to \(Self.maximumLength) can be"
            )
        }
        // At most 48 frames (section 3.2.5).
        var lengths = [Int16](repeating: 0, count: 48)
        var offset: Int32 = 0
        let frames = opus_packet_parse(bytes, Int32(bytes.count), nil, nil, &lengths, &offset)
        let samples = opus_packet_get_nb_samples(bytes, Int32(bytes.count), Int32(Self.clock.hertz))
        guard frames > 0, samples > 0 else {
            throw VoiceError(
                .malformedInput,
                "bytes that are no Opus packet (\(OpusError.words(min(frames, samples))))"
            )
        }
        self.samples = Int(samples)
        hasCorrection = Self.correction(in: bytes, firstFrame: Int(offset), length: Int(lengths[0]))
    }

    /// The flag of low bit-rate redundancy, which follows a flag of voice activity for each SILK frame in the first bits of the
    /// first Opus frame (RFC 6716 section 4.2.3); CELT has none.
    private static func correction(in bytes: [UInt8], firstFrame: Int, length: Int) -> Bool {
        let configuration = bytes[0] >> 3
        guard configuration < 16, length > 0, firstFrame < bytes.count else { return false }
        // SILK alone: 10, 20, 40 or 60 ms; with CELT above (12 to 15): 10 or 20 ms (table 2). SILK's frames are of 20 ms.
        let silkFrames = configuration < 12 ? max(1, Int(configuration % 4)) : 1
        return bytes[firstFrame] << silkFrames & 0x80 != 0
    }
}

/// libopus's errors in words.
enum OpusError {
    static func words(_ code: Int32) -> String {
        guard let words = opus_strerror(code) else { return "error \(code)" }
        return String(cString: words)
    }
}
