internal import Testing

@testable internal import WebRTC

@Suite struct NetworkAddressTests {
    @Test(arguments: ["192.0.2.1", "2001:db8::1", "::1", "fe80::1:2"])
    func `text is read and written`(text: String) {
        #expect(NetworkAddress(text, port: 1)?.host == text)
    }

    @Test(arguments: ["", "host", "192.0.2", "192.0.2.256", "2001:db8:::1", "[::1]"])
    func `what is no address is refused`(text: String) {
        #expect(NetworkAddress(text, port: 1) == nil)
    }

    @Test func `IPv4 in IPv6 is IPv4`() {
        #expect(NetworkAddress("::ffff:192.0.2.1", port: 5) == NetworkAddress("192.0.2.1", port: 5))
        #expect(NetworkAddress(bytes: [1, 2, 3], port: 5) == nil)
    }

    @Test func `the first byte tells what a datagram is`() {
        let kinds = (0...255).map { DatagramKind([UInt8($0)]) }
        #expect(kinds.indices.filter { kinds[$0] == .stun } == Array(0...3))
        #expect(kinds.indices.filter { kinds[$0] == .dtls } == Array(20...63))
        #expect(kinds.indices.filter { kinds[$0] == .srtp } == Array(128...191))
        #expect(DatagramKind([]) == .unknown)
        #expect(DatagramKind.isRTCP([0x80, 200]) && !DatagramKind.isRTCP([0x80, 111 | 0x80]))
    }

    @Test(
        arguments: [
            [192, 0, 2, 1], [0, 0, 0, 0], [255, 255, 255, 255],
            [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0xfe, 0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 192, 0, 2, 1],
        ] as [[UInt8]]
    )
    func `its bytes are those it was made of`(bytes: [UInt8]) throws {
        let address = try #require(NetworkAddress(bytes: bytes, port: 5))
        #expect(address.bytes == bytes && address.port == 5 && address.isVersion6 == (bytes.count == 16))
    }
}
