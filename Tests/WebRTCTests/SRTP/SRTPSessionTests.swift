internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct SRTPSessionTests {
    static let profiles = SRTPProfile.allCases

    /// A server's and a client's session with the same keys.
    static func pair(_ profile: SRTPProfile) throws -> (server: SRTPSession, client: SRTPSession) {
        let length = profile.keyLength + profile.saltLength
        let keys = SRTPKeys(
            profile: profile,
            client: (0..<UInt8(length)).map { $0 },
            server: (100..<UInt8(100 + length)).map { $0 }
        )
        return (try SRTPSession(keys: keys), try SRTPSession(keys: keys, isServer: false))
    }

    static func packet(_ sequence: UInt16, source: UInt32 = 0xcafe_babe, payload: [UInt8] = [1, 2, 3]) -> [UInt8] {
        var bytes: [UInt8] = [0x80, 111]
        bytes.appendBigEndian(sequence)
        bytes.appendBigEndian(UInt32(sequence) * 960)
        bytes.appendBigEndian(source)
        return bytes + payload
    }

    @Test func `a known packet becomes the known ciphertext`() throws {
        // The vector of libsrtp's own test/srtp_driver.c, made with AES-128 counter mode and an 80-bit tag.
        let key = try hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")
        let other = [UInt8](repeating: 7, count: 30)
        let sent = try SRTPSession(keys: .init(profile: .aes128CounterSHA1Tag80, client: other, server: key))
        let received = try SRTPSession(keys: .init(profile: .aes128CounterSHA1Tag80, client: key, server: other))
        let plain = try hex("800f1234decafbadcafebabe abababababababababababababababab")
        let cipher = try hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb")
        // The server encrypts with its own key and decrypts with the client's.
        #expect(sent.protect(rtp: plain) == cipher)
        #expect(received.unprotect(rtp: cipher) == plain)
        #expect(sent.unprotect(rtp: cipher) == nil)
    }

    @Test(arguments: profiles)
    func `packets go both ways`(profile: SRTPProfile) throws {
        let (server, client) = try Self.pair(profile)
        for sequence in 65_530...65_540 {
            let packet = Self.packet(UInt16(truncatingIfNeeded: sequence))
            #expect(try server.unprotect(rtp: #require(client.protect(rtp: packet))) == packet)
            #expect(try client.unprotect(rtp: #require(server.protect(rtp: packet))) == packet)
        }
        let report = try hex("80c90001cafebabe")
        #expect(try server.unprotect(rtcp: #require(client.protect(rtcp: report))) == report)
        #expect(server.counters == .init())
    }

    @Test(arguments: profiles)
    func `a packet is accepted once`(profile: SRTPProfile) throws {
        let (server, client) = try Self.pair(profile)
        let secret = try #require(client.protect(rtp: Self.packet(1)))
        #expect(server.unprotect(rtp: secret) != nil)
        #expect(server.unprotect(rtp: secret) == nil)
        let report = try #require(client.protect(rtcp: try hex("80c90001cafebabe")))
        #expect(server.unprotect(rtcp: report) != nil)
        #expect(server.unprotect(rtcp: report) == nil)
        #expect(server.counters == .init(replayed: 2))
    }

    @Test(arguments: profiles)
    func `what is truncated or changed is refused and counted`(profile: SRTPProfile) throws {
        let (server, client) = try Self.pair(profile)
        let secret = try #require(client.protect(rtp: Self.packet(1)))
        let report = try #require(client.protect(rtcp: try hex("80c90001cafebabe")))
        for count in 0..<secret.count { #expect(server.unprotect(rtp: Array(secret[..<count])) == nil) }
        for count in 0..<report.count { #expect(server.unprotect(rtcp: Array(report[..<count])) == nil) }
        #expect(server.counters == .init(inauthentic: secret.count + report.count))
        for index in secret.indices {
            var changed = secret
            changed[index] ^= 1
            #expect(server.unprotect(rtp: changed) == nil)
        }
        #expect(server.unprotect(rtp: secret) == Self.packet(1))
    }

    @Test func `sources are bounded`() throws {
        let (server, client) = try Self.pair(.aes128GCM)
        for source in 1...UInt32(SRTPSession.sourceLimit + 3) {
            let secret = try #require(client.protect(rtp: Self.packet(1, source: source)))
            #expect((server.unprotect(rtp: secret) != nil) == (source <= SRTPSession.sourceLimit))
        }
        #expect(server.counters == .init(crowded: 3))
    }

    @Test func `strange packets do not crash either direction`() throws {
        var random = SplitMix64(seed: 5)
        for profile in Self.profiles {
            let (server, client) = try Self.pair(profile)
            let samples = try (0..<20).map { try #require(client.protect(rtp: Self.packet($0))) }
            for _ in 0..<5000 {
                let bytes = random.mutation(of: samples)
                _ = server.unprotect(rtp: bytes)
                _ = server.unprotect(rtcp: bytes)
                _ = server.protect(rtp: bytes)
                _ = server.protect(rtcp: bytes)
            }
        }
    }
}
