package import VoiceCore

/// How far the connection to a browser is.
package enum PeerState: Sendable {
    /// Waiting for an offer, checks, or the end of the handshake.
    case connecting
    /// Audio and data may flow.
    case connected
    /// One side has ended it as it should be.
    case closed
    /// It could not be made, or broke.
    case failed(VoiceError)

    /// True once nothing can happen any more.
    package var isOver: Bool {
        switch self {
        case .connecting, .connected: false
        case .closed, .failed: true
        }
    }
}

/// What a peer has for its owner.
package enum PeerOutput: Sendable {
    /// To be sent by UDP from the port that the answer names.
    case transmit(Datagram)
    /// A packet of Opus from the browser's microphone, as it came: order and gaps are the jitter buffer's matter.
    case audio(RTPPacket)
    /// A key that was pressed (RFC 4733), once per press.
    case digit(Character)
    /// A packet of SCTP out of DTLS.
    case data([UInt8])
    /// The connection is now in this state.
    case state(PeerState)
}

/// What a peer refused or lost so far.
package struct PeerCounters: Sendable, Equatable {
    /// STUN messages without answer: not for us, or with a wrong password.
    package var ignoredChecks = 0
    /// Datagrams of DTLS and SRTP from addresses without a valid check.
    package var foreign = 0
    /// Datagrams that are neither STUN nor DTLS nor SRTP, and decrypted packets that are neither RTP nor RTCP.
    package var malformed = 0
    /// SRTP that came before its keys.
    package var early = 0
    /// RTP whose payload was not agreed on.
    package var unexpected = 0
    /// SRTP packets that came twice.
    package var replayed = 0
    /// SRTP packets with a wrong tag, or truncated.
    package var inauthentic = 0
    /// SRTP packets of more sources than anybody needs.
    package var crowded = 0
    /// Outputs that nobody took in time.
    package var dropped = 0
}
