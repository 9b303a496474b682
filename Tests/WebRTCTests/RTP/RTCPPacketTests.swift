internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct RTCPPacketTests {
    /// A report of aiortc's kind: RR with one block, SDES with a CNAME; and feedback.
    static let report = "81c90007 00000001 00000002 40fffffe 00010005 00000020 12345678 00018000"
    static let names = "81ca0003 00000001 0105616263 6465 00"
    static let nack = "81cd0003 00000001 00000002 fffe0005"
    static let picture = "81ce0002 00000001 00000002"
    static let goodbye = "a1cb0003 00000001 0362796500000004 "

    static let block = ReceptionReport(
        source: 2,
        fractionLost: 0x40,
        lost: -2,
        highestSequence: 0x1_0005,
        jitter: 32,
        lastSenderReport: 0x1234_5678,
        delay: 0x1_8000
    )

    @Test func `a compound packet is read`() throws {
        let bytes = try hex(Self.report + Self.names + Self.nack + Self.picture)
        let expected: [RTCPPacket] = [
            .receiverReport(source: 1, [Self.block]), .sourceDescription([.init(source: 1, name: "abcde")]),
            .negativeAcknowledgement(media: 2, [0xfffe, 0xffff, 1]), .pictureLossIndication(media: 2),
        ]
        #expect(RTCPPacket.parse(bytes) == expected)
        #expect(RTCPPacket.parse(try hex("80cf0001 00000001")) == [.other(207)])
        #expect(RTCPPacket.parse(try hex("8fce0003 00000001 00000000 52454d42")) == [.other(206)])
        #expect(RTCPPacket.parse([]) == [])
    }

    @Test func `what aiortc writes is read`() throws {
        // By aiortc 1.16's aiortc.rtp, with the values that are expected here.
        let report = "40fffffe 00010005 00000020 12345678 00018000"
        let sender = RTCPPacket.SenderReport(time: NTPTime(fixed: 3 << 32 | 7), timestamp: 11, packets: 12, octets: 13)
        var block = Self.block
        block.source = 1
        for (text, expected) in [
            (
                "81c8000c00000009000000030000000700" + "00000b0000000c0000000d00000001" + report,
                RTCPPacket.senderReport(source: 9, sender, [block])
            ),
            ("81c900070000000900000001" + report, .receiverReport(source: 9, [block])),
            ("81ca00040000000901046e616d65020178000000", .sourceDescription([.init(source: 9, name: "name")])),
            ("82cb0002000000090000000a", .goodbye([9, 10])),
        ] {
            #expect(RTCPPacket.parse(try hex(text)) == [expected])
            // Of names we write the first item only.
            if !text.hasPrefix("81ca") { #expect(expected.bytes == (try hex(text))) }
        }
    }

    @Test func `a good-bye with a reason and padding is read`() throws {
        #expect(RTCPPacket.parse(try hex(Self.goodbye)) == [.goodbye([1])])
    }

    @Test(arguments: 0..<9)
    func `what is written is read again`(length: Int) throws {
        let sender = RTCPPacket.SenderReport(time: NTPTime(fixed: 1 << 40 | 7), timestamp: .max, packets: 3, octets: 4)
        let packets: [RTCPPacket] = [
            .senderReport(source: .max, sender, [Self.block, Self.block]), .receiverReport(source: 5, []),
            .sourceDescription([
                .init(source: 6, name: String(repeating: "n", count: length)), .init(source: 7, name: "x"),
            ]), .goodbye([8, 9]),
        ]
        #expect(RTCPPacket.parse(packets.flatMap { $0.bytes ?? [] }) == packets)
    }

    @Test func `a malformed packet spoils the whole datagram`() throws {
        let bytes = try hex(Self.report)
        for count in 1..<bytes.count { #expect(RTCPPacket.parse(Array(bytes[..<count])) == nil) }
        #expect(RTCPPacket.parse(try hex("82c90007") + bytes.dropFirst(4)) == nil)
        #expect(RTCPPacket.parse(try hex("01c90001 00000001")) == nil)
        #expect(RTCPPacket.parse(try hex("a1cb0001 00000000")) == nil)
        #expect(RTCPPacket.parse(try hex("81ca0002 00000001 01ff6162")) == nil)
    }

    @Test func `no bytes crash the parser`() throws {
        var random = SplitMix64(seed: 7)
        let samples = try [Self.report, Self.names, Self.nack, Self.picture, Self.goodbye, Self.report + Self.names]
            .map(hex)
        for _ in 0..<50_000 {
            guard let packets = RTCPPacket.parse(random.mutation(of: samples)) else { continue }
            for packet in packets { _ = packet.bytes }
        }
    }
}
