/// A type, a length and bytes: the form of parameters and of error causes (RFC 9260 sections 3.2.1 and 3.3.10).
struct SCTPParameter: Sendable, Equatable {
    let type: UInt16
    let value: [UInt8]

    /// Reads parameters one after the other, each padded to a multiple of four; nil when one has no valid length.
    static func decode(_ bytes: ArraySlice<UInt8>) -> [SCTPParameter]? {
        var reader = BigEndianReader(bytes)
        var parameters: [SCTPParameter] = []
        while reader.remaining >= 4 {
            guard let type = reader.next(UInt16.self), let length = reader.next(UInt16.self), length >= 4,
                let value = reader.next(count: Int(length) - 4)
            else { return nil }
            parameters.append(SCTPParameter(type: type, value: Array(value)))
            reader.skip(upTo: (4 - Int(length) % 4) % 4)
        }
        return parameters
    }

    /// The bytes of `parameters`; the last one is not padded, because a chunk's length does not count that (section 3.2).
    static func encode(_ parameters: [SCTPParameter]) -> [UInt8] {
        var bytes: [UInt8] = []
        for parameter in parameters {
            bytes.padToFour()
            bytes.appendBigEndian(parameter.type)
            bytes.appendBigEndian(UInt16(truncatingIfNeeded: parameter.value.count + 4))
            bytes += parameter.value
        }
        return bytes
    }

    /// Its bytes alone.
    var encoded: [UInt8] { Self.encode([self]) }
}

extension SCTPParameter {
    // Types of parameters: RFC 9260 section 3.3.2.1 and 3.3.3.1, RFC 3758 section 3.1, RFC 5061 section 4.2.7, RFC 6525 section 4.
    static let heartbeatInformation: UInt16 = 1
    static let stateCookie: UInt16 = 7
    static let unrecognized: UInt16 = 8
    static let supportedExtensions: UInt16 = 0x8008
    static let forwardTSNSupported: UInt16 = 0xC000

    /// Parameters of INIT and INIT ACK that say something we need not act on: addresses and what goes with them, which UDP and
    /// DTLS make pointless (RFC 8261 section 6.1), and the state of things we do not offer.
    private static let harmless: Set<UInt16> = [5, 6, 9, 11, 12]

    /// True for a parameter of INIT or INIT ACK that we know.
    var isKnown: Bool {
        Self.harmless.contains(type)
            || [Self.stateCookie, Self.unrecognized, Self.supportedExtensions, Self.forwardTSNSupported].contains(type)
    }

    // What the two highest bits of an unknown type say (RFC 9260 section 3.2.1).
    var skipsWhenUnknown: Bool { type & 0x8000 != 0 }
    var isReportedWhenUnknown: Bool { type & 0x4000 != 0 }
}

/// Why an association reports an error or ends (RFC 9260 section 3.3.10): causes have the form of parameters.
extension SCTPParameter {
    static let invalidStreamIdentifier: UInt16 = 1
    static let missingMandatoryParameter: UInt16 = 2
    static let staleCookie: UInt16 = 3
    static let outOfResource: UInt16 = 4
    static let unrecognizedChunkType: UInt16 = 6
    static let invalidMandatoryParameter: UInt16 = 7
    static let unrecognizedParameters: UInt16 = 8
    static let noUserData: UInt16 = 9
    static let userInitiatedAbort: UInt16 = 12
    static let protocolViolation: UInt16 = 13

    /// A cause with words for the other side's log.
    static func cause(_ code: UInt16, _ words: String = "") -> SCTPParameter {
        SCTPParameter(type: code, value: Array(words.utf8))
    }
}
