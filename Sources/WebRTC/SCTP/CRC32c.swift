/// The checksum of SCTP packets: CRC32c, polynomial 0x1EDC6F41 reflected (RFC 9260 appendix A).
enum CRC32c {
    private static let table = CRC32.table(reflected: 0x82F6_3B78)

    /// The checksum of `bytes` as if the four bytes from `zeroed` on were 0, which is where a packet keeps its own.
    static func checksum(_ bytes: [UInt8], zeroed: Int) -> UInt32 {
        let table = table
        var value = ~UInt32(0)
        for (index, byte) in bytes.enumerated() {
            let byte = index >= zeroed && index < zeroed + 4 ? 0 : byte
            value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
        }
        return ~value
    }
}
