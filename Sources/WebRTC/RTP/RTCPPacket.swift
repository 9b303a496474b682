/// A packet of RTCP (RFC 3550 section 6), of which several make one datagram.
enum RTCPPacket: Hashable, Sendable {
    /// What a sender says about itself and about what it hears.
    case senderReport(source: UInt32, SenderReport, [ReceptionReport])
    /// What somebody says who only hears.
    case receiverReport(source: UInt32, [ReceptionReport])
    /// The canonical names of sources; other items are left out.
    case sourceDescription([SourceName])
    /// These sources are gone.
    case goodbye([UInt32])
    /// Packets that somebody wants again (RFC 4585 section 6.2.1).
    case negativeAcknowledgement(media: UInt32, [UInt16])
    /// Somebody cannot show a picture (RFC 4585 section 6.3.1).
    case pictureLossIndication(media: UInt32)
    /// Anything else, by its packet type.
    case other(UInt8)

    /// A sender's clock and counts (RFC 3550 section 6.4.1).
    struct SenderReport: Hashable, Sendable {
        var time: NTPTime
        var timestamp: UInt32
        var packets: UInt32
        var octets: UInt32
    }

    /// A source and its canonical name (section 6.5.1).
    struct SourceName: Hashable, Sendable {
        var source: UInt32
        var name: String
    }
}

/// A block of a report: how a source is heard (RFC 3550 section 6.4.1).
struct ReceptionReport: Hashable, Sendable {
    /// Who is heard.
    var source: UInt32
    /// Lost since the previous report, in 1/256.
    var fractionLost: UInt8
    /// Lost since the beginning; 24 bits with sign, less than zero with duplicates.
    var lost: Int32
    /// The highest sequence number, with how often it wrapped in the upper half.
    var highestSequence: UInt32
    /// Interarrival jitter in timestamp units.
    var jitter: UInt32
    /// The middle of the time of the source's last sender report; zero without one.
    var lastSenderReport: UInt32
    /// How long ago that came, in 1/65536 s.
    var delay: UInt32
}
