/// Messages of the Data Channel Establishment Protocol (RFC 8832 section 5).
enum DataChannelMessage: Sendable, Equatable {
    case open(DataChannelParameters)
    case acknowledge

    // RFC 8832 section 8.2.1.
    private static let acknowledgeType: UInt8 = 2
    private static let openType: UInt8 = 3

    /// Reads a message; nil when it is not valid.
    static func decode(_ bytes: [UInt8]) -> DataChannelMessage? {
        var reader = BigEndianReader(bytes[...])
        switch reader.next(UInt8.self) {
        case acknowledgeType: return .acknowledge
        case openType:
            guard let channelType = reader.next(UInt8.self), let priority = reader.next(UInt16.self),
                let limit = reader.next(UInt32.self),
                let labelLength = reader.next(UInt16.self), let protocolLength = reader.next(UInt16.self),
                let label = reader.next(count: Int(labelLength)), let name = reader.next(count: Int(protocolLength)),
                let reliability = reliability(channelType, limit)
            else { return nil }
            return .open(
                DataChannelParameters(
                    label: String(decoding: label, as: UTF8.self),
                    subprotocol: String(decoding: name, as: UTF8.self),
                    isOrdered: channelType & 0x80 == 0,
                    reliability: reliability,
                    priority: priority
                )
            )
        default: return nil
        }
    }

    /// Channel types (RFC 8832 section 8.2.2); the highest bit says unordered.
    private static func reliability(_ channelType: UInt8, _ limit: UInt32) -> SCTPReliability? {
        switch channelType & 0x7F {
        case 0: .reliable
        case 1: .retransmissions(limit)
        case 2: .lifetime(.milliseconds(Int64(limit)))
        default: nil
        }
    }

    /// The message's bytes.
    func encode() -> [UInt8] {
        guard case .open(let parameters) = self else { return [Self.acknowledgeType] }
        let (channelType, limit) = parameters.channelType
        let (label, name) = (Array(parameters.label.utf8), Array(parameters.subprotocol.utf8))
        var bytes = [Self.openType, channelType]
        bytes.appendBigEndian(parameters.priority)
        bytes.appendBigEndian(limit)
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: label.count))
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: name.count))
        return bytes + label + name
    }
}

/// What the two sides agree on for a data channel (RFC 8832 section 5.1).
package struct DataChannelParameters: Sendable, Equatable {
    /// The application's name for it; up to 65 535 bytes of UTF-8.
    package var label: String
    /// The name of a protocol spoken on it; often empty.
    package var subprotocol = ""
    /// True when messages arrive in the order they were sent.
    package var isOrdered = true
    /// How hard to try.
    package var reliability = SCTPReliability.reliable
    /// Relative to other channels; we tell it and do not act on it. 256 is "below normal" (RFC 8831 section 6.4).
    package var priority: UInt16 = 256

    /// Makes the parameters of a channel; by default reliable and ordered.
    package init(
        label: String,
        subprotocol: String = "",
        isOrdered: Bool = true,
        reliability: SCTPReliability = .reliable,
        priority: UInt16 = 256
    ) {
        self.label = label
        self.subprotocol = subprotocol
        self.isOrdered = isOrdered
        self.reliability = reliability
        self.priority = priority
    }

    fileprivate var channelType: (type: UInt8, limit: UInt32) {
        let unordered: UInt8 = isOrdered ? 0 : 0x80
        switch reliability {
        case .reliable: return (unordered, 0)
        case .retransmissions(let count): return (unordered | 1, count)
        case .lifetime(let lifetime):
            // In whole numbers: a quotient of durations is a Double, now and then just below the number it should be.
            let (seconds, attoseconds) = min(max(lifetime, .zero), .milliseconds(Int64(UInt32.max))).components
            return (unordered | 2, UInt32(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
        }
    }
}
