extension RTCPPacket {
    // Packet types: RFC 3550 section 12.1, RFC 4585 section 6.1.
    fileprivate enum Kind: UInt8 {
        case senderReport = 200
        case receiverReport = 201
        case sourceDescription = 202
        case goodbye = 203
        case transportFeedback = 205
        case payloadFeedback = 206
    }

    /// Parses all packets of a datagram; nil when one of them is malformed (RFC 3550 appendix A.2).
    ///
    /// A datagram may begin with any packet (RFC 5506).
    static func parse(_ datagram: [UInt8]) -> [RTCPPacket]? {
        var reader = BigEndianReader(datagram[...])
        var packets: [RTCPPacket] = []
        while reader.remaining > 0 {
            guard let first = reader.next(UInt8.self), first >> 6 == 2, let type = reader.next(UInt8.self),
                let words = reader.next(UInt16.self), var body = reader.next(count: Int(words) * 4)
            else { return nil }
            if first & 0x20 != 0 {
                guard reader.remaining == 0, let padding = body.last, padding > 0, Int(padding) <= body.count
                else { return nil }
                body = body.dropLast(Int(padding))
            }
            guard let packet = parse(type, count: first & 0x1f, body: BigEndianReader(body)) else { return nil }
            packets.append(packet)
        }
        return packets
    }

    private static func parse(_ type: UInt8, count: UInt8, body: BigEndianReader) -> RTCPPacket? {
        var body = body
        switch Kind(rawValue: type) {
        case .senderReport:
            guard let source = body.next(UInt32.self), let time = body.next(UInt64.self),
                let timestamp = body.next(UInt32.self), let packets = body.next(UInt32.self),
                let octets = body.next(UInt32.self), let reports = reports(count, &body)
            else { return nil }
            let time32 = NTPTime(fixed: time)
            let report = SenderReport(time: time32, timestamp: timestamp, packets: packets, octets: octets)
            return .senderReport(source: source, report, reports)
        case .receiverReport:
            guard let source = body.next(UInt32.self), let reports = reports(count, &body) else { return nil }
            return .receiverReport(source: source, reports)
        case .sourceDescription: return names(count, &body).map { .sourceDescription($0) }
        case .goodbye: return sources(count, &body).map { .goodbye($0) }
        case .transportFeedback, .payloadFeedback: return feedback(type, format: count, &body)
        case nil: return .other(type)
        }
    }

    private static func reports(_ count: UInt8, _ body: inout BigEndianReader) -> [ReceptionReport]? {
        var reports: [ReceptionReport] = []
        for _ in 0..<count {
            guard let source = body.next(UInt32.self), let loss = body.next(UInt32.self),
                let highest = body.next(UInt32.self), let jitter = body.next(UInt32.self),
                let last = body.next(UInt32.self), let delay = body.next(UInt32.self)
            else { return nil }
            reports.append(
                ReceptionReport(
                    source: source,
                    fractionLost: UInt8(loss >> 24),
                    // Extends the sign of 24 bits.
                    lost: Int32(bitPattern: loss << 8) >> 8,
                    highestSequence: highest,
                    jitter: jitter,
                    lastSenderReport: last,
                    delay: delay
                )
            )
        }
        return reports
    }

    private static func sources(_ count: UInt8, _ body: inout BigEndianReader) -> [UInt32]? {
        var sources: [UInt32] = []
        for _ in 0..<count {
            guard let source = body.next(UInt32.self) else { return nil }
            sources.append(source)
        }
        return sources
    }

    private static func names(_ count: UInt8, _ body: inout BigEndianReader) -> [SourceName]? {
        var names: [SourceName] = []
        for _ in 0..<count {
            guard let source = body.next(UInt32.self) else { return nil }
            var length = 0
            // Items end with a zero, and the chunk is filled up with zeros to a whole word (RFC 3550 section 6.5).
            while case let item = body.next(UInt8.self), item != 0 {
                guard let item, let count = body.next(UInt8.self), let text = body.next(count: Int(count)) else {
                    return nil
                }
                length += 2 + Int(count)
                if item == 1 { names.append(SourceName(source: source, name: String(decoding: text, as: UTF8.self))) }
            }
            guard body.next(count: 3 - length % 4) != nil else { return nil }
        }
        return names
    }

    private static func feedback(_ type: UInt8, format: UInt8, _ body: inout BigEndianReader) -> RTCPPacket? {
        guard body.next(UInt32.self) != nil, let media = body.next(UInt32.self) else { return nil }
        switch (Kind(rawValue: type), format) {
        case (.payloadFeedback, 1): return .pictureLossIndication(media: media)
        case (.transportFeedback, 1):
            var wanted: [UInt16] = []
            while let first = body.next(UInt16.self), let mask = body.next(UInt16.self) {
                wanted.append(first)
                wanted += (0..<16).filter { mask >> $0 & 1 == 1 }.map { first &+ 1 &+ $0 }
            }
            return .negativeAcknowledgement(media: media, wanted)
        default: return .other(type)
        }
    }
}

extension RTCPPacket {
    /// The packet as it is sent; only what we send can be written: reports with at most 31 blocks, names, good-byes.
    var bytes: [UInt8]? {
        var body: [UInt8] = []
        switch self {
        case .senderReport(let source, let report, let reports):
            body.appendBigEndian(source)
            body.appendBigEndian(report.time.fixed)
            body.appendBigEndian(report.timestamp)
            body.appendBigEndian(report.packets)
            body.appendBigEndian(report.octets)
            for block in reports.prefix(31) { body += block.bytes }
            return Self.packet(.senderReport, count: reports.count, body)
        case .receiverReport(let source, let reports):
            body.appendBigEndian(source)
            for block in reports.prefix(31) { body += block.bytes }
            return Self.packet(.receiverReport, count: reports.count, body)
        case .sourceDescription(let names):
            for name in names.prefix(31) {
                body.appendBigEndian(name.source)
                let text = name.name.utf8.prefix(255)
                body += [1, UInt8(text.count)] + text
                body += [UInt8](repeating: 0, count: 4 - body.count % 4)
            }
            return Self.packet(.sourceDescription, count: names.count, body)
        case .goodbye(let sources):
            for source in sources.prefix(31) { body.appendBigEndian(source) }
            return Self.packet(.goodbye, count: sources.count, body)
        case .negativeAcknowledgement, .pictureLossIndication, .other: return nil
        }
    }

    private static func packet(_ kind: Kind, count: Int, _ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x80 | UInt8(min(count, 31)), kind.rawValue]
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: body.count / 4))
        return bytes + body
    }
}

extension ReceptionReport {
    fileprivate var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(source)
        bytes.appendBigEndian(UInt32(fractionLost) << 24 | UInt32(bitPattern: lost) & 0xff_ffff)
        bytes.appendBigEndian(highestSequence)
        bytes.appendBigEndian(jitter)
        bytes.appendBigEndian(lastSenderReport)
        bytes.appendBigEndian(delay)
        return bytes
    }
}
