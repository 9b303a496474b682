internal import Testing
internal import VoiceCore

@testable internal import WebRTC

/// The messages of RFC 5769, whose password is ``password``.
enum SampleMessages {
    static let password = "VOkJxbRl1RmTxUk/WvJxBt"
    /// Section 2.1.
    static let request = """
        000100582112a442b7e7a701bc34d686fa87dfae
        802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36
        000600096576746a3a68367659202020
        000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf
        """
    /// Section 2.2.
    static let answerIPv4 = """
        0101003c2112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220
        002000080001a147e112a643
        000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004c07d4c96
        """
    /// Section 2.3.
    static let answerIPv6 = """
        010100482112a442b7e7a701bc34d686fa87dfae 8022000b7465737420766563746f7220
        002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9
        00080014a382954e4be67bf11784c97c8292c275bfe3ed41 80280004c8fb0b4c
        """
}

@Suite struct STUNMessageTests {
    @Test func `the request of RFC 5769 is read`() throws {
        let message = try #require(STUNMessage(try hex(SampleMessages.request)))
        #expect(message.kind == .request)
        #expect(message.method == STUNMessage.binding)
        #expect(message.username == "evtj:h6vY")
        #expect(message.value(.priority) == [0x6e, 0x00, 0x01, 0xff])
        #expect(message.value(.iceControlled) == (try hex("932ff9b151263b36")))
        #expect(message.isAuthentic(password: SampleMessages.password))
        #expect(!message.isAuthentic(password: SampleMessages.password + "x"))
        #expect(STUNMessage.localFragment(of: try hex(SampleMessages.request)) == "evtj")
    }

    @Test(arguments: [
        (SampleMessages.answerIPv4, "192.0.2.1"), (SampleMessages.answerIPv6, "2001:db8:1234:5678:11:2233:4455:6677"),
    ])
    func `the answers of RFC 5769 are read`(answer: String, host: String) throws {
        let message = try #require(STUNMessage(try hex(answer)))
        #expect(message.kind == .success)
        #expect(message.isAuthentic(password: SampleMessages.password))
        let value = try #require(message.value(.xorMappedAddress))
        let address = STUNAttribute(.xorMappedAddress, value).mappedAddress(transaction: message.transaction)
        #expect(address == NetworkAddress(host, port: 32_853))
        let mapped = try #require(address)
        #expect(STUNAttribute.xorMappedAddress(mapped, transaction: message.transaction).value == value)
    }

    @Test func `what is written is read again`() throws {
        let transaction: [UInt8] = Array(1...12)
        let attributes = [STUNAttribute(.username, Array("abcde:f".utf8)), STUNAttribute(.useCandidate, [])]
        let bytes = STUNMessage.encode(.request, transaction: transaction, attributes: attributes, password: "p")
        let message = try #require(STUNMessage(bytes))
        #expect(message.attributes == attributes)
        #expect(message.transaction == transaction)
        #expect(message.isAuthentic(password: "p"))
    }

    @Test func `every changed bit is noticed`() throws {
        let bytes = try hex(SampleMessages.request)
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                #expect(STUNMessage(changed) == nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func `truncated and longer messages are refused`() throws {
        let bytes = try hex(SampleMessages.request)
        for count in 0..<bytes.count { #expect(STUNMessage(Array(bytes[..<count])) == nil) }
        #expect(STUNMessage(bytes + [0, 0, 0, 0]) == nil)
    }

    @Test func `nothing that is not STUN crashes the parser`() throws {
        let samples = [
            try hex(SampleMessages.request), try hex(SampleMessages.answerIPv4), try hex(SampleMessages.answerIPv6),
        ]
        var random = SplitMix64(seed: 1)
        for _ in 0..<50_000 {
            var bytes = random.mutation(of: samples)
            // With a correct length and fingerprint the attributes are reached.
            if bytes.count > 28, random.next() % 2 == 0 { bytes = withTrailer(bytes) }
            guard let message = STUNMessage(bytes) else { continue }
            _ = message.isAuthentic(password: "p")
            for attribute in message.attributes { _ = attribute.mappedAddress(transaction: message.transaction) }
        }
    }

    private func withTrailer(_ sample: [UInt8]) -> [UInt8] {
        var bytes = Array(sample[..<(sample.count - sample.count % 4)])
        bytes.replaceBigEndian(at: 2, with: UInt16(bytes.count - 12))
        let fingerprint = CRC32.checksum(bytes) ^ 0x5354_554e
        bytes += [0x80, 0x28, 0, 4]
        bytes.appendBigEndian(fingerprint)
        return bytes
    }
}
