/// The two forms of header extensions with several elements (RFC 8285 sections 4.2 and 4.3).
enum RTPHeaderExtension {
    private static let oneByteProfile: UInt16 = 0xbede
    private static let twoByteProfile: UInt16 = 0x1000

    /// The elements up to the first malformed one; none of a form that is neither of the two.
    static func parse(_ body: ArraySlice<UInt8>, profile: UInt16) -> [RTPPacket.Extension] {
        var reader = BigEndianReader(body)
        var elements: [RTPPacket.Extension] = []
        // The low four bits of the second profile are the application's.
        guard profile == oneByteProfile || profile & 0xfff0 == twoByteProfile else { return [] }
        while let first = reader.next(UInt8.self) {
            if first == 0 { continue }
            var (identifier, length) = (first, 0)
            if profile == oneByteProfile {
                identifier = first >> 4
                length = Int(first & 0x0f) + 1
                // 15 says: stop here (section 4.2).
                if identifier == 15 { break }
            } else {
                guard let count = reader.next(UInt8.self) else { break }
                length = Int(count)
            }
            guard let value = reader.next(count: length) else { break }
            if identifier != 0 { elements.append(.init(identifier: identifier, value: Array(value))) }
        }
        return elements
    }

    /// Profile, length and elements, in the shorter form if all of them fit it.
    static func encode(_ elements: [RTPPacket.Extension]) -> [UInt8] {
        let isShort = elements.allSatisfy { (1...14).contains($0.identifier) && (1...16).contains($0.value.count) }
        var body: [UInt8] = []
        for element in elements {
            let value = element.value.prefix(255)
            body +=
                isShort
                ? [element.identifier << 4 | UInt8(value.count - 1)] : [element.identifier, UInt8(value.count)]
            body += value
        }
        body += [UInt8](repeating: 0, count: -body.count & 3)
        var bytes: [UInt8] = []
        bytes.appendBigEndian(isShort ? oneByteProfile : twoByteProfile)
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: body.count / 4))
        return bytes + body
    }
}
