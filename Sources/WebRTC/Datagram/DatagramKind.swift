/// What a datagram on a port that STUN, DTLS and SRTP share is, by its first byte (RFC 7983 section 7).
enum DatagramKind: Equatable {
    case stun
    case dtls
    /// RTP or RTCP, encrypted: see ``isRTCP(_:)``.
    case srtp
    /// Nothing we speak: ZRTP, TURN channels, QUIC, or noise.
    case unknown

    /// Looks at the first byte.
    init(_ datagram: [UInt8]) {
        switch datagram.first {
        case .some(0...3): self = .stun
        case .some(20...63): self = .dtls
        case .some(128...191): self = .srtp
        default: self = .unknown
        }
    }

    /// True if an SRTP datagram holds RTCP: packet types 192 to 223 (RFC 5761 section 4).
    static func isRTCP(_ datagram: [UInt8]) -> Bool { datagram.count > 1 && (192...223).contains(datagram[1]) }
}
