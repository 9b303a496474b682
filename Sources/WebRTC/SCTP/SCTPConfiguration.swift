/// What an association may use, and how patient it is.
package struct SCTPConfiguration: Sendable {
    /// The largest packet, in bytes. IPv6 carries 1280; UDP, DTLS and the header of IPv6 take up to 91 of these. A multiple of
    /// four. (aiortc sends at most 1189, Chromium 1191.)
    static let maximumPacketLength = 1188
    /// The most payload of one DATA chunk: Pipecat's clamp, which leaves room for an acknowledgement beside it.
    static let maximumPayload = 1100

    /// The SCTP port of this side, `a=sctp-port` in SDP; 5000 everywhere (RFC 8841 section 5).
    package var localPort: UInt16 = 5000
    /// The SCTP port of the other side.
    package var remotePort: UInt16 = 5000
    /// Streams in each direction. Bounds what is kept for streams; Chromium offers as many.
    package var streams: UInt16 = 1024
    /// The largest message that may arrive, `a=max-message-size` in SDP; a longer one ends the association.
    package var maximumMessage = 262_144
    /// The largest message that may be sent: what the other side's SDP says; 65 536 where it says nothing (RFC 8841 section 6.1).
    package var maximumOutgoingMessage = 65_536
    /// Bytes that may wait for missing packets or for the owner; at least twice ``maximumMessage``.
    package var receiveBuffer = 1_048_576
    /// Bytes that may wait to be sent or acknowledged; further messages are refused.
    package var sendBuffer = 1_048_576

    /// The first retransmission timeout, before a round trip was measured. RFC 9260 section 16 says 1 s; this is Chromium's.
    package var initialTimeout = Duration.milliseconds(500)
    /// The least retransmission timeout. RFC 9260 section 16 says 1 s; this is Chromium's, twice the delay of an acknowledgement.
    package var minimumTimeout = Duration.milliseconds(400)
    /// How far a timeout grows when it repeats. RFC 9260 section 16 says 60 s; with Chromium's 3 s an association recovers soon
    /// after its path does.
    package var maximumTimeout = Duration.seconds(3)
    /// How long to wait for the answer to INIT and COOKIE ECHO; doubles with every try. As Chromium.
    package var handshakeTimeout = Duration.seconds(1)
    /// INIT and COOKIE ECHO are sent again so many times (RFC 9260 section 16).
    package var handshakeRetransmissions = 8
    /// Timeouts in a row after which the association is given up (RFC 9260 section 16: Association.Max.Retrans).
    package var retransmissions = 10
    /// How long an acknowledgement may wait for a second packet (RFC 9260 section 6.2).
    package var acknowledgementDelay = Duration.milliseconds(200)
    /// The time between heartbeats while nothing is sent (RFC 9260 section 16).
    package var heartbeatInterval = Duration.seconds(30)
    /// How long a state cookie can be used (RFC 9260 section 16).
    package var cookieLifetime = Duration.seconds(60)

    /// Makes the configuration of WebRTC.
    package init() {}
}
