/// The two laws of telephone sound, ITU-T G.711: one byte a sample.
enum TelephoneCodec: String, Sendable, Equatable {
    /// µ-law: North America and Japan, and what every provider offers.
    case muLaw
    /// A-law: everywhere else.
    case aLaw

    /// Decodes sound to mono samples in (-1, 1).
    func decode(_ bytes: [UInt8]) -> [Float] {
        let table = self == .muLaw ? Self.muLawSamples : Self.aLawSamples
        return bytes.map { table[Int($0)] }
    }

    /// Encodes mono samples; those outside [-1, 1] are clipped, those that are no numbers become silence.
    func encode(_ samples: [Float]) -> [UInt8] {
        samples.map { sample in
            guard !sample.isNaN else { return self == .muLaw ? 0xff : 0xd5 }
            let value = Int(max(-32_768, min(32_767, (sample * 32_768).rounded())))
            return self == .muLaw ? Self.muLaw(value) : Self.aLaw(value)
        }
    }

    private static let muLawSamples = (0...255).map { muLawSample(UInt8($0)) }
    private static let aLawSamples = (0...255).map { aLawSample(UInt8($0)) }

    /// What a µ-law byte stands for. Source: ITU-T G.711 table 2a, 14-bit values scaled to 16 bits.
    private static func muLawSample(_ byte: UInt8) -> Float {
        let code = ~byte
        let magnitude = (((Int(code & 15) << 3) + bias) << Int(code >> 4 & 7)) - bias
        return Float(code & 0x80 == 0 ? magnitude : -magnitude) / 32_768
    }

    /// What an A-law byte stands for. Source: ITU-T G.711 table 1a, 13-bit values scaled to 16 bits.
    private static func aLawSample(_ byte: UInt8) -> Float {
        let code = byte ^ 0x55
        let exponent = Int(code >> 4 & 7)
        let mantissa = (Int(code & 15) << 4) + 8
        let magnitude = exponent == 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
        return Float(code & 0x80 == 0 ? -magnitude : magnitude) / 32_768
    }

    /// 33 of the 14-bit scale: what makes every segment twice as long as the one before.
    private static let bias = 0x84

    private static func muLaw(_ value: Int) -> UInt8 {
        let magnitude = min(abs(value >> 2), 8158) + (bias >> 2)
        let isNegative = value < 0
        let segment = UInt8(clamping: 8 - (magnitude >> 5).leadingZeros(in: 8) - 1)
        let step = UInt8(clamping: magnitude >> (Int(segment) + 1) & 15)
        return ~((isNegative ? 0x80 : 0) | segment << 4 | step)
    }

    private static func aLaw(_ value: Int) -> UInt8 {
        let magnitude = (value < 0 ? -value - 1 : value) >> 3
        let sign: UInt8 = value < 0 ? 0 : 0x80
        guard magnitude >= 32 else { return (sign | UInt8(clamping: magnitude >> 1)) ^ 0x55 }
        let segment = UInt8(clamping: 8 - (magnitude >> 5).leadingZeros(in: 8))
        return (sign | segment << 4 | UInt8(clamping: magnitude >> Int(segment) & 15)) ^ 0x55
    }
}

extension Int {
    /// Leading zeros of the low `bits` bits.
    fileprivate func leadingZeros(in bits: Int) -> Int { leadingZeroBitCount - (Int.bitWidth - bits) }
}
