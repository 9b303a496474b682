internal import VoiceCore

@testable internal import WebRTC

extension FuzzTarget {
    /// A decrypted RTP packet and the key press in it.
    ///
    /// Claims: what is read is written and read as the same; nothing that is kept is longer than the datagram.
    static let rtp = FuzzTarget(name: "rtp", seeds: { Media.packets.map(\.bytes) + Media.strange }) { bytes in
        guard let packet = RTPPacket(bytes) else { return }
        let written = packet.bytes
        try claim(RTPPacket(written) == packet, "a packet is the same after writing and reading")
        let kept =
            packet.payload.count + packet.extensions.reduce(0) { $0 + $1.value.count } + 4 * packet.contributors.count
        try claim(kept <= bytes.count, "no more is kept than came")
        _ = TelephoneEvent(payload: packet.payload)
    }

    /// A decrypted compound RTCP datagram, and the session that takes it.
    ///
    /// Claims: reports, names and good-byes are written and read as the same; losses have 24 bits; what is kept is in proportion to the datagram; our next
    /// report fits a datagram.
    static let rtcp = FuzzTarget(name: "rtcp", seeds: { Media.reports }) { bytes in
        guard let packets = RTCPPacket.parse(bytes) else { return }
        try claim(packets.count <= bytes.count / 4, "a packet has four bytes at least")
        for packet in packets {
            if case .negativeAcknowledgement(_, let wanted) = packet {
                try claim(wanted.count <= bytes.count * 17 / 4, "four bytes ask for 17 packets at most")
            }
            try claim(packet.blocks.allSatisfy { (-0x80_0000...0x7f_ffff).contains($0.lost) }, "losses have 24 bits")
            // Names that were no UTF-8 grow when they are repaired, beyond what an item holds.
            if case .sourceDescription(let names) = packet,
                names.count > 31 || names.contains(where: { $0.name.utf8.count > 255 })
            {
                continue
            }
            guard let written = packet.bytes else { continue }
            try claim(RTCPPacket.parse(written) == [packet], "a packet is the same after writing and reading")
        }
        var random = SplitMix64(seed: 1)
        var session = RTPSession(rate: .wideband, name: "fuzz", random: &random)
        session.begin(at: .zero)
        session.receive(Media.packets[0], isRegular: true, at: .milliseconds(20))
        _ = session.send([1], type: 96, timestamp: 960, marker: true, at: .milliseconds(20))
        session.receive(packets, at: .milliseconds(40))
        let report = session.report(at: .seconds(5))
        try claim(report.count <= Datagram.sizeLimit && RTCPPacket.parse(report) != nil, "our report is one")
        _ = session.statistics
    }

    /// SRTP and SRTCP from outside, as they come or protected with the right keys, one after the other.
    ///
    /// Claims: what is not protected is refused; a packet that was taken is refused the second time; what comes out is no longer than
    /// what went in; sources are bounded.
    static let srtp = FuzzTarget(name: "srtp", seeds: { Media.protected }) { bytes in
        let keys = SRTPKeys(
            profile: .aes128CounterSHA1Tag80,
            client: Array(1...30),
            server: Array(31...60)
        )
        let (browser, ours) = (try SRTPSession(keys: keys, isServer: false), try SRTPSession(keys: keys))
        var input = FuzzInput(bytes)
        while !input.isAtEnd {
            let mode = input.byte()
            let plain = input.block()
            let isRTCP = mode & 1 != 0
            guard mode & 2 != 0 else {
                let read = isRTCP ? ours.unprotect(rtcp: plain) : ours.unprotect(rtp: plain)
                try claim(read == nil, "what nobody protected is refused")
                continue
            }
            guard let packet = isRTCP ? browser.protect(rtcp: plain) : browser.protect(rtp: plain) else { continue }
            guard let read = isRTCP ? ours.unprotect(rtcp: packet) : ours.unprotect(rtp: packet) else { continue }
            try claim(read == plain, "what is protected comes out as it was")
            let second = isRTCP ? ours.unprotect(rtcp: packet) : ours.unprotect(rtp: packet)
            try claim(second == nil, "a replayed packet is refused")
        }
    }
}

extension RTCPPacket {
    /// What a report says of each source.
    fileprivate var blocks: [ReceptionReport] {
        switch self {
        case .senderReport(_, _, let blocks), .receiverReport(_, let blocks): blocks
        default: []
        }
    }
}

/// Packets to begin with.
enum Media {
    static let packets: [RTPPacket] = [
        RTPPacket(payloadType: 96, sequence: 1, timestamp: 960, source: 7, payload: Array(1...40)),
        RTPPacket(
            marker: true,
            payloadType: 96,
            sequence: 65_535,
            timestamp: 0xffff_fff0,
            source: 7,
            extensions: [.init(identifier: 1, value: [0x85]), .init(identifier: 4, value: Array("audio".utf8))],
            payload: [0xf8, 0xff, 0xfe]
        ),
        RTPPacket(
            payloadType: 97,
            sequence: 2,
            timestamp: 960,
            source: 8,
            extensions: [.init(identifier: 200, value: Array(0..<40))],
            payload: [5, 0x8a, 3, 0x20]
        ),
    ]

    /// With contributors, padding, an extension of another form, an empty payload.
    static let strange: [[UInt8]] = [
        [0x82, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 1, 2, 3],
        [0xa0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0, 0, 3],
        [0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x12, 0x34, 0, 1, 9, 9, 9, 9, 1],
        [0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 2, 0x11, 1, 2, 0, 0xf0, 0, 0, 0, 1],
        [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
    ]

    static let reports: [[UInt8]] = {
        let block = ReceptionReport(
            source: 9,
            fractionLost: 3,
            lost: -2,
            highestSequence: 0x1_0002,
            jitter: 40,
            lastSenderReport: 77,
            delay: 99
        )
        let report = RTCPPacket.SenderReport(time: NTPTime(fixed: 1 << 33), timestamp: 960, packets: 5, octets: 200)
        let sender = RTCPPacket.senderReport(source: 7, report, [block]).bytes ?? []
        let receiver = RTCPPacket.receiverReport(source: 7, [block, block]).bytes ?? []
        let names =
            RTCPPacket.sourceDescription([.init(source: 7, name: "browser"), .init(source: 8, name: "")]).bytes ?? []
        let goodbye = RTCPPacket.goodbye([7, 8]).bytes ?? []
        let wanted: [UInt8] = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0x80, 1]
        let picture: [UInt8] = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
        return [
            sender + names, receiver + names + goodbye, wanted, picture + wanted,
            [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4],
        ]
    }()

    static let protected: [[UInt8]] = {
        var bytes: [UInt8] = []
        for packet in packets { bytes += [2] + FuzzInput.block(packet.bytes) }
        for report in reports { bytes += [3] + FuzzInput.block(report) }
        return [bytes, [0] + FuzzInput.block(packets[0].bytes) + [1] + FuzzInput.block(reports[0])]
    }()
}
