/// ITU-T G.711 companded telephone audio, one byte per sample at 8 kHz (RFC 3551 section 4.5.14: PCMU and PCMA).
package enum G711 {
    /// Decodes a µ-law byte to a sample in (-1, 1). Source: ITU-T G.711 table 2a; 14-bit values, scaled to 16 bits.
    package static func muLaw(_ byte: UInt8) -> Float {
        let code = ~byte
        let exponent = Int(code >> 4 & 7)
        let magnitude = (((Int(code & 15) << 3) + 0x84) << exponent) - 0x84
        return Float(code & 0x80 == 0 ? magnitude : -magnitude) / 32_768
    }

    /// Decodes an A-law byte to a sample in (-1, 1). Source: ITU-T G.711 table 1a; 13-bit values, scaled to 16 bits.
    package static func aLaw(_ byte: UInt8) -> Float {
        let code = byte ^ 0x55
        let exponent = Int(code >> 4 & 7)
        let mantissa = (Int(code & 15) << 4) + 8
        let magnitude = exponent == 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
        return Float(code & 0x80 == 0 ? -magnitude : magnitude) / 32_768
    }

    /// Encodes a sample in [-1, 1] as µ-law; others saturate, and what is no number is silence. Source: ITU-T G.711 table 2a.
    package static func encodeMuLaw(_ sample: Float) -> UInt8 {
        let value = Int(PCM16.quantize(sample)) >> 2
        // The decision values are powers of two less 33 (from 31 to 8159), and sixteen equal steps between them.
        let magnitude = min(abs(value), 8_158) + 33
        let exponent = Int.bitWidth - magnitude.leadingZeroBitCount - 6
        let code = exponent << 4 | (magnitude >> (exponent + 1)) & 15
        return ~UInt8(truncatingIfNeeded: (value < 0 ? 0x80 : 0) | code)
    }

    /// Encodes a sample in [-1, 1] as A-law; others saturate, and what is no number is silence. Source: ITU-T G.711 table 1a.
    package static func encodeALaw(_ sample: Float) -> UInt8 {
        let value = Int(PCM16.quantize(sample)) >> 3
        // The decision values are powers of two (from 32 to 4096), and sixteen equal steps between them.
        let magnitude = value < 0 ? ~value : value
        let exponent = max(0, Int.bitWidth - magnitude.leadingZeroBitCount - 5)
        let code = exponent << 4 | (magnitude >> max(1, exponent)) & 15
        return UInt8(truncatingIfNeeded: (value < 0 ? 0 : 0x80) | code) ^ 0x55
    }
}
