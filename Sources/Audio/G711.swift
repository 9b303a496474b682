/// Decoders of ITU-T G.711 companded telephone audio, one byte per sample.
enum G711 {
    /// Decodes a µ-law byte to a sample in (-1, 1). Source: ITU-T G.711 table 2a; 14-bit values, scaled to 16 bits.
    static func muLaw(_ byte: UInt8) -> Float {
        let code = ~byte
        let exponent = Int(code >> 4 & 7)
        let magnitude = (((Int(code & 15) << 3) + 0x84) << exponent) - 0x84
        return Float(code & 0x80 == 0 ? magnitude : -magnitude) / 32_768
    }

    /// Decodes an A-law byte to a sample in (-1, 1). Source: ITU-T G.711 table 1a; 13-bit values, scaled to 16 bits.
    static func aLaw(_ byte: UInt8) -> Float {
        let code = byte ^ 0x55
        let exponent = Int(code >> 4 & 7)
        let mantissa = (Int(code & 15) << 4) + 8
        let magnitude = exponent == 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
        return Float(code & 0x80 == 0 ? -magnitude : magnitude) / 32_768
    }
}
