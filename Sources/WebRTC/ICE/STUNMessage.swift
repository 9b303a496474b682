/// A STUN message (RFC 8489 section 5): one that was parsed, with the bytes it came in, because its integrity covers those.
struct STUNMessage: Sendable {
    /// What a message is in its transaction.
    enum Class: UInt16 {
        case request = 0x000
        case indication = 0x010
        case success = 0x100
        case failure = 0x110
    }

    /// In every message (RFC 8489 section 5).
    static let magicCookie: UInt32 = 0x2112_a442
    /// The only method that ICE uses (RFC 8489 section 18.2).
    static let binding: UInt16 = 0x001
    /// XORed onto the CRC-32 (RFC 8489 section 14.7).
    private static let fingerprintMask: UInt32 = 0x5354_554e
    private static let headerLength = 20

    let kind: Class
    let method: UInt16
    /// 12 bytes.
    let transaction: [UInt8]
    /// The attributes before MESSAGE-INTEGRITY, or all but FINGERPRINT when there is none.
    let attributes: [STUNAttribute]
    private let bytes: [UInt8]
    private let integrity: (offset: Int, code: [UInt8])?

    /// Parses a whole datagram; nil when it is no STUN message, or without a correct FINGERPRINT, which ICE requires
    /// (RFC 8445 section 7.1).
    init?(_ bytes: [UInt8]) {
        var reader = BigEndianReader(bytes[...])
        guard let type = reader.next(UInt16.self), type & 0xc000 == 0, let length = reader.next(UInt16.self),
            reader.next(UInt32.self) == Self.magicCookie, let transaction = reader.next(count: 12),
            Int(length) == reader.remaining, length % 4 == 0, let kind = Class(rawValue: type & 0x110)
        else { return nil }
        var attributes: [STUNAttribute] = []
        var integrity: (offset: Int, code: [UInt8])?
        var isFingerprinted = false
        while reader.remaining > 0 {
            let offset = bytes.count - reader.remaining
            // FINGERPRINT is the last attribute; what follows MESSAGE-INTEGRITY else is ignored (sections 14.5, 14.7).
            guard !isFingerprinted, let attribute = Self.nextAttribute(&reader) else { return nil }
            switch attribute.kind {
            case .fingerprint:
                guard attribute.value == Self.fingerprint(bytes[..<offset]) else { return nil }
                isFingerprinted = true
            case _ where integrity != nil: break
            case .messageIntegrity:
                guard attribute.value.count == MessageIntegrity.length else { return nil }
                integrity = (offset, attribute.value)
            default: attributes.append(attribute)
            }
        }
        guard isFingerprinted else { return nil }
        self.kind = kind
        // The method's twelve bits lie around the class's two (section 5, figure 3).
        method = type & 0x000f | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2
        self.transaction = Array(transaction)
        self.attributes = attributes
        self.bytes = bytes
        self.integrity = integrity
    }

    /// The value of the first attribute of a kind.
    func value(_ kind: STUNAttribute.Kind) -> [UInt8]? { attributes.first { $0.kind == kind }?.value }

    /// USERNAME as text; nil without one or when it is no UTF-8.
    var username: String? { value(.username).flatMap { String(validating: $0, as: UTF8.self) } }

    /// True if the message carries MESSAGE-INTEGRITY made with this password.
    func isAuthentic(password: String) -> Bool {
        guard let integrity else { return false }
        var covered = Array(bytes[..<integrity.offset])
        // The length that was hashed ends with MESSAGE-INTEGRITY itself.
        covered.replaceBigEndian(
            at: 2,
            with: UInt16(integrity.offset - Self.headerLength + 4 + MessageIntegrity.length)
        )
        guard let code = MessageIntegrity.code(of: covered, password: password) else { return false }
        return MessageIntegrity.areEqual(code, integrity.code)
    }

    /// A Binding message with MESSAGE-INTEGRITY and FINGERPRINT.
    ///
    /// - Parameter transaction: 12 bytes.
    static func encode(
        _ kind: Class,
        transaction: [UInt8],
        attributes: [STUNAttribute],
        password: String
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(kind.rawValue | binding)
        bytes.appendBigEndian(UInt16(0))
        bytes.appendBigEndian(magicCookie)
        bytes += transaction
        for attribute in attributes { append(attribute, to: &bytes) }
        let unsigned = UInt16(truncatingIfNeeded: bytes.count - headerLength)
        bytes.replaceBigEndian(at: 2, with: unsigned &+ 24)
        append(STUNAttribute(.messageIntegrity, MessageIntegrity.code(of: bytes, password: password) ?? []), to: &bytes)
        bytes.replaceBigEndian(at: 2, with: unsigned &+ 32)
        append(STUNAttribute(.fingerprint, fingerprint(bytes[...])), to: &bytes)
        return bytes
    }

    private static func nextAttribute(_ reader: inout BigEndianReader) -> STUNAttribute? {
        guard let kind = reader.next(UInt16.self), let length = reader.next(UInt16.self),
            let value = reader.next(count: Int(length)), reader.next(count: -Int(length) & 3) != nil
        else { return nil }
        return STUNAttribute(.init(rawValue: kind), Array(value))
    }

    private static func append(_ attribute: STUNAttribute, to bytes: inout [UInt8]) {
        bytes.appendBigEndian(attribute.kind.rawValue)
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: attribute.value.count))
        bytes += attribute.value
        bytes += [UInt8](repeating: 0, count: -attribute.value.count & 3)
    }

    private static func fingerprint(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var value: [UInt8] = []
        value.appendBigEndian(CRC32.checksum(bytes) ^ fingerprintMask)
        return value
    }
}
