/// A page of an Ogg stream (RFC 3533 section 6). All its packets are whole.
struct OggPage {
    /// The most lacing values of a page: one for every 255 bytes of a packet, and one for its rest.
    static let longest = 255

    /// The packets, in order; their lacing values must fit.
    var packets: [[UInt8]]
    /// The codec's time at the end of the last packet.
    var granule: Int
    /// The stream's number.
    var serial: UInt32
    /// The page's number, from 0.
    var sequence: UInt32
    /// Whether it is the stream's last page.
    var isLast = false

    /// Lacing values that a packet takes.
    static func lacings(of packet: [UInt8]) -> Int { packet.count / 255 + 1 }

    /// The page as it is written.
    var bytes: [UInt8] {
        var bytes = Array("OggS".utf8)
        bytes.append(0)  // the format's version
        bytes.append((sequence == 0 ? 0x02 : 0) | (isLast ? 0x04 : 0))
        Self.append(granule, bytes: 8, to: &bytes)
        Self.append(Int(serial), bytes: 4, to: &bytes)
        Self.append(Int(sequence), bytes: 4, to: &bytes)
        let checksumAt = bytes.count
        bytes += [0, 0, 0, 0]
        let lacings = packets.flatMap { packet in
            [UInt8](repeating: 255, count: packet.count / 255) + [UInt8(packet.count % 255)]
        }
        precondition(lacings.count <= Self.longest, "a page has room for its packets")
        bytes.append(UInt8(lacings.count))
        bytes += lacings
        for packet in packets { bytes += packet }
        var checksum: [UInt8] = []
        Self.append(Int(Self.checksum(of: bytes)), bytes: 4, to: &checksum)
        bytes.replaceSubrange(checksumAt..<checksumAt + 4, with: checksum)
        return bytes
    }

    /// Appends a number, little-endian.
    static func append(_ number: Int, bytes count: Int, to bytes: inout [UInt8]) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }

    /// RFC 3533 section 6, field 7: polynomial 0x04c11db7, begun with zero, nothing reflected or inverted.
    private static func checksum(of bytes: [UInt8]) -> UInt32 {
        bytes.reduce(0) { sum, byte in
            sum << 8 ^ table[Int(UInt8(truncatingIfNeeded: sum >> 24) ^ byte)]
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { sum, _ in sum << 1 ^ (sum & 0x8000_0000 == 0 ? 0 : 0x04c1_1db7) }
    }
}
