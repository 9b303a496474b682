internal import Audio

/// The two laws of telephone sound (``Audio/G711``): one byte a sample.
enum TelephoneCodec: String, Sendable, Equatable {
    /// µ-law: North America and Japan, and what every provider offers.
    case muLaw
    /// A-law: everywhere else.
    case aLaw

    private static let muLawSamples = (0...255).map { G711.muLaw(UInt8($0)) }
    private static let aLawSamples = (0...255).map { G711.aLaw(UInt8($0)) }

    /// Decodes sound to mono samples in (-1, 1).
    func decode(_ bytes: [UInt8]) -> [Float] {
        let table = self == .muLaw ? Self.muLawSamples : Self.aLawSamples
        return bytes.map { table[Int($0)] }
    }

    /// Encodes mono samples; those outside [-1, 1] are clipped, those that are no numbers become silence.
    func encode(_ samples: [Float]) -> [UInt8] {
        self == .muLaw ? samples.map(G711.encodeMuLaw) : samples.map(G711.encodeALaw)
    }
}
