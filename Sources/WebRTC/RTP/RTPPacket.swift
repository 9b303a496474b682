/// An RTP packet (RFC 3550 section 5.1).
package struct RTPPacket: Hashable, Sendable {
    /// An element of the header extension (RFC 8285).
    package struct Extension: Hashable, Sendable {
        /// The number that the session description gave its meaning: 1 to 255.
        package var identifier: UInt8
        /// At most 255 bytes.
        package var value: [UInt8]

        /// Makes an element.
        package init(identifier: UInt8, value: [UInt8]) {
            self.identifier = identifier
            self.value = value
        }
    }

    /// True on the first packet after silence (RFC 7587 section 4.1 for Opus).
    package var marker: Bool
    /// What the payload is, 0 to 127, as the session description says.
    package var payloadType: UInt8
    /// One more for each packet.
    package var sequence: UInt16
    /// When the first sample was taken, in the payload's clock.
    package var timestamp: UInt32
    /// SSRC: the number of the stream.
    package var source: UInt32
    /// CSRC: those whose sound was mixed into it, at most 15.
    package var contributors: [UInt32] = []
    /// Header extensions in the forms of RFC 8285; of other forms nothing is kept.
    package var extensions: [Extension] = []
    /// What is carried, without padding.
    package var payload: [UInt8]

    /// Makes a packet.
    package init(
        marker: Bool = false,
        payloadType: UInt8,
        sequence: UInt16,
        timestamp: UInt32,
        source: UInt32,
        extensions: [Extension] = [],
        payload: [UInt8]
    ) {
        self.marker = marker
        self.payloadType = payloadType
        self.sequence = sequence
        self.timestamp = timestamp
        self.source = source
        self.extensions = extensions
        self.payload = payload
    }

    /// Parses a whole datagram; nil when it is no RTP packet or its parts lead beyond its end.
    package init?(_ bytes: [UInt8]) {
        var reader = BigEndianReader(bytes[...])
        guard let first = reader.next(UInt8.self), first >> 6 == 2, let second = reader.next(UInt8.self),
            let sequence = reader.next(UInt16.self), let timestamp = reader.next(UInt32.self),
            let source = reader.next(UInt32.self)
        else { return nil }
        for _ in 0..<(first & 0x0f) {
            guard let contributor = reader.next(UInt32.self) else { return nil }
            contributors.append(contributor)
        }
        if first & 0x10 != 0 {
            guard let profile = reader.next(UInt16.self), let words = reader.next(UInt16.self),
                let body = reader.next(count: Int(words) * 4)
            else { return nil }
            extensions = RTPHeaderExtension.parse(body, profile: profile)
        }
        var payload = reader.rest()
        if first & 0x20 != 0 {
            guard let padding = payload.last, padding > 0, Int(padding) <= payload.count else { return nil }
            payload = payload.dropLast(Int(padding))
        }
        marker = second & 0x80 != 0
        payloadType = second & 0x7f
        self.sequence = sequence
        self.timestamp = timestamp
        self.source = source
        self.payload = Array(payload)
    }

    /// The packet as it is sent, without padding.
    package var bytes: [UInt8] {
        let contributors = contributors.prefix(15)
        var bytes: [UInt8] = [
            0x80 | (extensions.isEmpty ? 0 : 0x10) | UInt8(contributors.count),
            (marker ? 0x80 : 0) | payloadType & 0x7f,
        ]
        bytes.reserveCapacity(12 + 4 * contributors.count + payload.count)
        bytes.appendBigEndian(sequence)
        bytes.appendBigEndian(timestamp)
        bytes.appendBigEndian(source)
        for contributor in contributors { bytes.appendBigEndian(contributor) }
        if !extensions.isEmpty { bytes += RTPHeaderExtension.encode(extensions) }
        bytes += payload
        return bytes
    }
}
