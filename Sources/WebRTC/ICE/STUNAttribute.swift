/// An attribute of a STUN message: a type and its value, without padding.
struct STUNAttribute: Hashable, Sendable {
    /// The number of an attribute. Up to 0x7fff a receiver must understand it (RFC 8489 section 14).
    struct Kind: RawRepresentable, Hashable, Sendable {
        var rawValue: UInt16

        // RFC 8489 section 18.3
        static let username = Kind(rawValue: 0x0006)
        static let messageIntegrity = Kind(rawValue: 0x0008)
        static let errorCode = Kind(rawValue: 0x0009)
        static let unknownAttributes = Kind(rawValue: 0x000a)
        static let xorMappedAddress = Kind(rawValue: 0x0020)
        static let fingerprint = Kind(rawValue: 0x8028)
        // RFC 8445 section 16.1
        static let priority = Kind(rawValue: 0x0024)
        static let useCandidate = Kind(rawValue: 0x0025)
        static let iceControlled = Kind(rawValue: 0x8029)
        static let iceControlling = Kind(rawValue: 0x802a)

        /// True if a receiver that does not know the attribute must refuse the message.
        var mustBeUnderstood: Bool { rawValue < 0x8000 }
    }

    var kind: Kind
    var value: [UInt8]

    /// Makes an attribute.
    init(_ kind: Kind, _ value: [UInt8]) {
        self.kind = kind
        self.value = value
    }
}

extension STUNAttribute {
    /// XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).
    static func xorMappedAddress(_ address: NetworkAddress, transaction: [UInt8]) -> STUNAttribute {
        var value: [UInt8] = [0, address.isVersion6 ? 2 : 1]
        value.appendBigEndian(address.port ^ UInt16(STUNMessage.magicCookie >> 16))
        value += zip(address.bytes, mask(transaction)).map { $0 ^ $1 }
        return STUNAttribute(.xorMappedAddress, value)
    }

    /// The address of an XOR-MAPPED-ADDRESS, or nil when it is malformed.
    func mappedAddress(transaction: [UInt8]) -> NetworkAddress? {
        var reader = BigEndianReader(value[...])
        guard reader.next(UInt8.self) != nil, let family = reader.next(UInt8.self), let port = reader.next(UInt16.self),
            reader.remaining == (family == 1 ? 4 : family == 2 ? 16 : -1)
        else { return nil }
        let bytes = zip(reader.rest(), Self.mask(transaction)).map { $0 ^ $1 }
        return NetworkAddress(bytes: bytes, port: port ^ UInt16(STUNMessage.magicCookie >> 16))
    }

    /// ERROR-CODE (RFC 8489 section 14.8).
    static func error(_ error: STUNError) -> STUNAttribute {
        let code = error.rawValue
        return STUNAttribute(.errorCode, [0, 0, UInt8(code / 100), UInt8(code % 100)] + Array(error.reason.utf8))
    }

    /// UNKNOWN-ATTRIBUTES (RFC 8489 section 14.13).
    static func unknownAttributes(_ kinds: [Kind]) -> STUNAttribute {
        var value: [UInt8] = []
        for kind in kinds { value.appendBigEndian(kind.rawValue) }
        return STUNAttribute(.unknownAttributes, value)
    }

    private static func mask(_ transaction: [UInt8]) -> [UInt8] {
        var mask: [UInt8] = []
        mask.appendBigEndian(STUNMessage.magicCookie)
        return mask + transaction
    }
}

/// Why a request is refused (RFC 8489 section 14.8, RFC 8445 section 16.2).
enum STUNError: Int {
    case badRequest = 400
    case unknownAttribute = 420
    case roleConflict = 487

    /// The reason phrase of the RFC.
    var reason: String {
        switch self {
        case .badRequest: "Bad Request"
        case .unknownAttribute: "Unknown Attribute"
        case .roleConflict: "Role Conflict"
        }
    }
}
