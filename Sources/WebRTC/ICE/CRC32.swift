/// The CRC-32 of ITU-T V.42 (reflected polynomial 0xEDB88320), which STUN's FINGERPRINT uses (RFC 8489 section 14.7).
enum CRC32 {
    private static let table = table(reflected: 0xedb8_8320)

    /// What each byte adds, for a polynomial with its lowest power first.
    static func table(reflected polynomial: UInt32) -> [UInt32] {
        (0..<256).map { index in
            (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
        }
    }

    /// The checksum of `bytes`.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    }
}
