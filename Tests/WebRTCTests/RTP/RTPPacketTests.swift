internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct RTPPacketTests {
    /// One-byte extensions with a pad between them, two contributors, two bytes of padding.
    static let sample = """
        b2ef0102 00000003 00000004 0000000a 0000000b
        bede0002 10aa00 31bbcc 0000
        010203 0002
        """

    @Test func `all parts of a packet are read`() throws {
        let packet = try #require(RTPPacket(try hex(Self.sample)))
        #expect(packet.marker && packet.payloadType == 111)
        #expect(packet.sequence == 0x0102 && packet.timestamp == 3 && packet.source == 4)
        #expect(packet.contributors == [10, 11])
        #expect(packet.extensions == [.init(identifier: 1, value: [0xaa]), .init(identifier: 3, value: [0xbb, 0xcc])])
        #expect(packet.payload == [1, 2, 3])
    }

    @Test func `what aiortc writes is read`() throws {
        // By aiortc 1.16's aiortc.rtp: mid "0", an audio level, three bytes of padding.
        let bytes = try hex("b2efffffffffffffdeadbeef0000000100000002 bede0001103020a1 6f707573 d25503")
        let packet = try #require(RTPPacket(bytes))
        #expect(packet.marker && packet.payloadType == 111 && packet.sequence == .max && packet.timestamp == .max)
        #expect(packet.source == 0xdead_beef && packet.contributors == [1, 2])
        #expect(packet.extensions == [.init(identifier: 1, value: [0x30]), .init(identifier: 2, value: [0xa1])])
        #expect(packet.payload == Array("opus".utf8))
    }

    @Test(arguments: [
        [RTPPacket.Extension](), [.init(identifier: 1, value: [7])], [.init(identifier: 200, value: [1, 2])],
        [.init(identifier: 2, value: []), .init(identifier: 14, value: [UInt8](repeating: 1, count: 17))],
    ])
    func `what is written is read again`(extensions: [RTPPacket.Extension]) throws {
        var packet = RTPPacket(payloadType: 96, sequence: 65_535, timestamp: .max, source: .max, payload: [9, 8])
        packet.extensions = extensions
        packet.contributors = [1, 2, 3]
        #expect(RTPPacket(packet.bytes) == packet)
    }

    @Test func `parts beyond the end are refused`() throws {
        let bytes = try hex(Self.sample)
        for count in 0..<32 { #expect(RTPPacket(Array(bytes[..<count])) == nil) }
        for padding: UInt8 in [0, 6, 255] { #expect(RTPPacket(bytes.dropLast() + [padding]) == nil) }
        #expect(RTPPacket([0x40] + bytes.dropFirst()) == nil)
    }

    @Test func `extensions of other forms, and malformed ones, are left out`() throws {
        for (header, kept) in [
            ("abcd0001 10aa0000", 0), ("bede0001 10aa1fbb", 1), ("10000001 01ff0000", 0), ("bede0001 f0aa10bb", 0),
        ] {
            let packet = try #require(RTPPacket(try hex("90ef0102 00000003 00000004" + header + "77")))
            #expect(packet.extensions.count == kept)
            #expect(packet.payload == [0x77])
        }
    }

    @Test func `no bytes crash the parser`() throws {
        var random = SplitMix64(seed: 6)
        let samples = [
            try hex(Self.sample), RTPPacket(payloadType: 1, sequence: 1, timestamp: 1, source: 1, payload: []).bytes,
        ]
        for _ in 0..<50_000 {
            guard let packet = RTPPacket(random.mutation(of: samples)) else { continue }
            #expect(RTPPacket(packet.bytes) == packet)
        }
    }
}
