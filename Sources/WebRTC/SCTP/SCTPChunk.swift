/// A chunk of an SCTP packet (RFC 9260 section 3.3; RFC 3758, RFC 6525 for the last two).
enum SCTPChunk: Sendable, Equatable {
    case data(DataChunk)
    case initiation(Initiation)
    case initiationAcknowledgement(Initiation)
    case acknowledgement(SelectiveAcknowledgement)
    /// Its parameters as they came, to be sent back.
    case heartbeat([UInt8])
    case heartbeatAcknowledgement([UInt8])
    /// `reflectsTag`: the sender had no association, and used the tag it had received (bit T).
    case abort([SCTPParameter], reflectsTag: Bool)
    case shutdown(TSN)
    case shutdownAcknowledgement
    case error([SCTPParameter])
    case cookieEcho([UInt8])
    case cookieAcknowledgement
    case shutdownComplete(reflectsTag: Bool)
    case reconfiguration([Reconfiguration])
    case forward(ForwardTSN)
    case unknown(type: UInt8, flags: UInt8, value: [UInt8])
}

/// A whole user message or a fragment of one (RFC 9260 section 3.3.1).
struct DataChunk: Sendable, Equatable {
    /// Bytes of a DATA chunk in front of its payload.
    static let headerLength = 16

    var tsn: TSN
    var stream: UInt16
    /// The message's number on its stream; means nothing when it is unordered.
    var sequence: UInt16
    var protocolIdentifier: UInt32
    var isOrdered: Bool
    var isFirst: Bool
    var isLast: Bool
    /// The sender asks for an acknowledgement without delay (bit I).
    var wantsImmediateAcknowledgement = false
    var payload: [UInt8]

    /// Bytes in a packet, with padding.
    var paddedLength: Int { Self.headerLength + (payload.count + 3) / 4 * 4 }
}

/// What INIT and INIT ACK say (RFC 9260 sections 3.3.2 and 3.3.3).
struct Initiation: Sendable, Equatable {
    /// The tag that packets to the sender must carry; never 0.
    var tag: UInt32
    /// The receive window, in bytes.
    var window: UInt32
    var outgoingStreams: UInt16
    var incomingStreams: UInt16
    var initialTSN: TSN
    var parameters: [SCTPParameter]

    /// The first parameter of a type.
    func parameter(_ type: UInt16) -> SCTPParameter? { parameters.first { $0.type == type } }
}

/// What has arrived (RFC 9260 section 3.3.4).
struct SelectiveAcknowledgement: Sendable, Equatable {
    /// Everything up to here has.
    var cumulative: TSN
    /// What the receive window has room for, in bytes.
    var window: UInt32
    /// Runs behind the cumulative TSN, as distances from it.
    var gaps: [ClosedRange<UInt16>]
    var duplicates: [TSN]
}

/// The sender gives up what it has sent up to here (RFC 3758 section 3.2).
struct ForwardTSN: Sendable, Equatable {
    /// A stream on which ordered messages up to `sequence` are given up.
    struct Stream: Sendable, Equatable {
        var stream: UInt16
        var sequence: UInt16
    }

    var cumulative: TSN
    var streams: [Stream]
}

/// A parameter of RE-CONFIG (RFC 6525 section 4).
enum Reconfiguration: Sendable, Equatable {
    /// The sender's streams start again at sequence number 0, all of them if `streams` is empty (section 4.1).
    case resetOutgoing(number: UInt32, response: UInt32, last: TSN, streams: [UInt16])
    /// What became of the request with this number (section 4.4).
    case response(number: UInt32, result: UInt32)
    /// A request we do not serve; WebRTC has no use for it (RFC 8831 section 6.2).
    case other(type: UInt16, number: UInt32)
}
