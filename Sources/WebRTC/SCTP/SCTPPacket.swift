/// A packet of SCTP: ports, the receiver's tag, chunks (RFC 9260 section 3).
struct SCTPPacket: Sendable, Equatable {
    /// Bytes in front of the chunks.
    static let headerLength = 12
    private static let checksumOffset = 8

    var sourcePort: UInt16
    var destinationPort: UInt16
    var tag: UInt32
    var chunks: [SCTPChunk]

    /// Reads a packet.
    /// - Returns: nil when the checksum is wrong, there is no chunk, or a chunk's length or contents are not valid; such a packet
    ///   is to be dropped as a whole.
    static func decode(_ bytes: [UInt8]) -> SCTPPacket? {
        var reader = BigEndianReader(bytes[...])
        guard let source = reader.next(UInt16.self), let destination = reader.next(UInt16.self),
            let tag = reader.next(UInt32.self),
            let checksum = reader.next(UInt32.self),
            // The checksum's bytes are in the other order than all else (RFC 9260 appendix A).
            checksum.byteSwapped == CRC32c.checksum(bytes, zeroed: checksumOffset)
        else { return nil }
        var packet = SCTPPacket(sourcePort: source, destinationPort: destination, tag: tag, chunks: [])
        while reader.remaining > 0 {
            guard let type = reader.next(UInt8.self), let flags = reader.next(UInt8.self),
                let length = reader.next(UInt16.self), length >= 4,
                let value = reader.next(count: Int(length) - 4),
                let chunk = SCTPChunk.decode(type: type, flags: flags, value: value)
            else { return nil }
            packet.chunks.append(chunk)
            reader.skip(upTo: (4 - Int(length) % 4) % 4)
        }
        return packet.chunks.isEmpty ? nil : packet
    }

    /// The packet's bytes, with checksum.
    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(SCTPConfiguration.maximumPacketLength)
        bytes.appendBigEndian(sourcePort)
        bytes.appendBigEndian(destinationPort)
        bytes.appendBigEndian(tag)
        bytes.appendBigEndian(UInt32(0))
        for chunk in chunks { chunk.append(to: &bytes) }
        let checksum = CRC32c.checksum(bytes, zeroed: Self.checksumOffset).byteSwapped
        for index in 0..<4 {
            bytes[Self.checksumOffset + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index))
        }
        return bytes
    }
}
