internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct DTLSServerTests {
    let identity: DTLSIdentity
    let clientIdentity: DTLSIdentity

    init() throws {
        identity = try DTLSIdentity()
        clientIdentity = try DTLSIdentity()
    }

    func pair(profiles: String = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM") throws -> (DTLSServer, DTLSClient) {
        let client = try DTLSClient(identity: clientIdentity, profiles: profiles)
        return (try DTLSServer(identity: identity, expected: client.fingerprints), client)
    }

    @Test(arguments: [
        ("SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", SRTPProfile.aes128GCM, 28),
        ("SRTP_AES128_CM_SHA1_80", .aes128CounterSHA1Tag80, 30),
    ])
    func `both ends agree on a profile and its keys`(profiles: String, profile: SRTPProfile, length: Int) throws {
        let (server, client) = try pair(profiles: profiles)
        try connect(server, client)
        let keys = try #require(server.keys)
        #expect(keys.profile == profile)
        #expect(keys.client.count == length && keys.server.count == length && keys.client != keys.server)
        // client key, server key, client salt, server salt
        let salt = length - 16
        let material = client.material(salt: salt)
        #expect(keys.client == Array(material[0..<16] + material[32..<32 + salt]))
        #expect(keys.server == Array(material[16..<32] + material[(32 + salt)...]))
        #expect(client.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256")
        #expect(server.nextTimeout == nil)
    }

    @Test func `data goes both ways, a record to a datagram`() throws {
        let (server, client) = try pair()
        try connect(server, client)
        for datagram in client.send([1, 2, 3]) + client.send([4]) { server.receive(datagram, at: .zero) }
        #expect(server.takeData() == [[1, 2, 3], [4]])
        #expect(server.takeData().isEmpty)
        let large = [UInt8](repeating: 7, count: DTLSServer.dataLimit)
        #expect(server.send(large, at: .zero))
        #expect(server.send([8], at: .zero))
        let sent = server.takeDatagrams()
        #expect(sent.map(\.count) == [1232, 38])
        for datagram in sent { _ = client.receive(datagram) }
        #expect(client.received == [large, [8]])
        #expect(!server.send(large + [1], at: .zero))
        #expect(!server.send([], at: .zero))
    }

    @Test func `a certificate that the offer does not name is refused`() throws {
        let client = try DTLSClient(identity: try DTLSIdentity())
        let expected = try #require(try DTLSClient(identity: clientIdentity).fingerprints.first)
        let server = try DTLSServer(identity: identity, expected: [expected])
        try exchange(server, client, client.start())
        guard case .failed(let error) = server.state else { return #expect(Bool(false), "\(server.state)") }
        #expect(error.message.contains("fingerprint"))
        #expect(client.isBroken)
        #expect(!server.send([1], at: .zero))
    }

    @Test func `a client without a certificate is refused`() throws {
        let expected = try DTLSClient(identity: clientIdentity).fingerprints
        let (server, client) = (try DTLSServer(identity: identity, expected: expected), try DTLSClient())
        try exchange(server, client, client.start())
        guard case .failed = server.state else { return #expect(Bool(false), "\(server.state)") }
        #expect(client.isBroken)
    }

    @Test func `without use_srtp the connection fails`() throws {
        let (server, client) = try pair(profiles: "")
        try exchange(server, client, client.start())
        guard case .failed(let error) = server.state else { return #expect(Bool(false), "\(server.state)") }
        #expect(error.message.contains("use_srtp"))
    }

    @Test func `the strongest hash function decides`() throws {
        let right = try DTLSClient(identity: clientIdentity).fingerprints
        let wrong = try DTLSClient(identity: try DTLSIdentity()).fingerprints
        for (expected, isConnected) in [
            ([right[2]], true), ([right[1]], true), ([right[0], wrong[0]], true), ([right[0], wrong[2]], false),
            ([wrong[0], right[2]], true), ([], false),
        ] {
            let server = try DTLSServer(identity: identity, expected: expected)
            let client = try DTLSClient(identity: clientIdentity)
            try exchange(server, client, client.start())
            #expect((server.keys != nil) == isConnected)
        }
    }

    /// Every flight has at most four datagrams here; each is lost once, from either side.
    @Test(arguments: 0..<8)
    func `any lost datagram is made up for, in simulated time`(lost: Int) throws {
        let (server, client) = try pair()
        var (now, number) = (Duration.zero, 0)
        var toServer = client.start()
        var toClient: [[UInt8]] = []
        while !(client.isConnected && server.keys != nil && toServer.isEmpty && toClient.isEmpty) {
            try #require(now < .seconds(10))
            for datagram in toServer.take() {
                number += 1
                if number - 1 != lost { server.receive(datagram, at: now) }
            }
            toClient += server.takeDatagrams()
            for datagram in toClient.take() {
                number += 1
                if number - 1 != lost { toServer += client.receive(datagram) }
            }
            guard toServer.isEmpty else { continue }
            now += .milliseconds(100)
            server.handleTimeout(at: now)
            toClient += server.takeDatagrams()
            // The client's own timer, five times as slow.
            if now.milliseconds.truncatingRemainder(dividingBy: 500) == 0 { toServer += client.repeatFlight() }
        }
        #expect(server.nextTimeout == nil)
        for datagram in client.send([1]) { server.receive(datagram, at: now) }
        #expect(server.takeData() == [[1]])
    }

    @Test func `a flight is repeated ever more slowly, in datagrams that fit`() throws {
        let (server, client) = try pair()
        for datagram in client.start() { server.receive(datagram, at: .zero) }
        let first = server.takeDatagrams()
        #expect(!first.isEmpty)
        #expect(first.allSatisfy { $0.count <= Datagram.sizeLimit })
        var times: [Duration] = []
        for _ in 0..<7 {
            let now = try #require(server.nextTimeout)
            server.handleTimeout(at: now - .milliseconds(1))
            #expect(server.takeDatagrams().isEmpty)
            server.handleTimeout(at: now)
            #expect(server.takeDatagrams() == first)
            times.append(now)
        }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(gaps == [400, 800, 1600, 3200, 3200, 3200].map { .milliseconds($0) })
    }

    @Test func `a hello that comes again gets its answer again, but not at once`() throws {
        let (server, client) = try pair()
        var hello = client.start()
        for datagram in hello { server.receive(datagram, at: .zero) }
        let flight = server.takeDatagrams()
        for (number, milliseconds, isAnswered) in [(20, 39, false), (21, 40, true), (22, 79, false), (23, 80, true)] {
            hello[0][10] = UInt8(number)
            server.receive(hello[0], at: .milliseconds(milliseconds))
            #expect(server.takeDatagrams() == (isAnswered ? flight : []))
        }
        #expect(server.nextTimeout == .milliseconds(200))
        for datagram in flight.flatMap({ client.receive($0) }) { server.receive(datagram, at: .milliseconds(100)) }
        #expect(server.keys != nil)
        _ = server.takeDatagrams()
        server.receive(hello[0], at: .seconds(1))
        #expect(server.takeDatagrams().isEmpty)
    }

    @Test func `either side can close`() throws {
        var (server, client) = try pair()
        try connect(server, client)
        server.close(at: .zero)
        for datagram in server.takeDatagrams() { _ = client.receive(datagram) }
        #expect(client.isBroken)
        (server, client) = try pair()
        try connect(server, client)
        for datagram in client.close() { server.receive(datagram, at: .zero) }
        guard case .closed = server.state else { return #expect(Bool(false), "\(server.state)") }
        #expect(!server.send([1], at: .zero))
    }

    @Test func `noise neither crashes nor disturbs a connection`() throws {
        let (server, client) = try pair()
        try connect(server, client)
        let sample = client.send([1, 2, 3])
        var random = SplitMix64(seed: 3)
        for _ in 0..<2000 { server.receive(random.mutation(of: sample), at: .zero) }
        _ = server.takeData()
        for datagram in client.send([9]) { server.receive(datagram, at: .zero) }
        #expect(server.takeData().last == [9])
    }

    @Test func `a message that comes again does not hide what follows it in the datagram, as with OpenSSL`() throws {
        let (server, client) = try pair()
        let hello = client.start()
        for datagram in hello { server.receive(datagram, at: .zero) }
        let flight = server.takeDatagrams().flatMap { client.receive($0) }
        // The number of the record, not of the message: a repeated message comes in a new record.
        var repeated = hello[0]
        repeated[10] = 50
        server.receive(repeated + flight.flatMap { $0 }, at: .zero)
        #expect(server.keys != nil)
    }

    @Test func `an encrypted record without room for its tag does not end the connection, as OpenSSL would`() throws {
        let (server, client) = try pair()
        try connect(server, client)
        for length in 0..<24 {
            let body = [UInt8](repeating: 0, count: length)
            server.receive([23, 254, 253, 0, 1, 0, 0, 0, 0, 1, 0, 0, UInt8(length)] + body, at: .zero)
        }
        for datagram in client.send([9]) { server.receive(datagram, at: .zero) }
        #expect(server.takeData() == [[9]])
    }

    @Test func `noise in the handshake does not crash`() throws {
        var random = SplitMix64(seed: 4)
        for _ in 0..<100 {
            let (server, client) = try pair()
            let hello = client.start()
            for _ in 0..<10 { server.receive(random.mutation(of: hello), at: .zero) }
            for datagram in hello { server.receive(datagram, at: .zero) }
            let flight = server.takeDatagrams().flatMap { client.receive($0) }
            for _ in 0..<10 { server.receive(random.mutation(of: flight + hello), at: .zero) }
        }
    }

    @Test func `fingerprints are read and written`() throws {
        let text = identity.fingerprint.description
        #expect(text.hasPrefix("sha-256 ") && text.utf8.count == 8 + 32 * 3 - 1)
        #expect(DTLSFingerprint(text) == identity.fingerprint)
        #expect(DTLSFingerprint(text.lowercased()) == identity.fingerprint)
        for wrong in [
            "", "sha-256", String(text.dropLast(3)), text + ":00", "sha-1 00:11", "sha-256 +1:" + text.dropFirst(11),
        ] {
            #expect(DTLSFingerprint(wrong) == nil)
        }
    }

    private func connect(_ server: DTLSServer, _ client: DTLSClient) throws {
        try exchange(server, client, client.start())
        #expect(client.isConnected)
        _ = try #require(server.keys)
    }

    private func exchange(_ server: DTLSServer, _ client: DTLSClient, _ first: [[UInt8]]) throws {
        var toServer = first
        for _ in 0..<10 where !toServer.isEmpty {
            for datagram in toServer.take() { server.receive(datagram, at: .zero) }
            for datagram in server.takeDatagrams() { toServer += client.receive(datagram) }
        }
    }
}

extension DTLSServer {
    /// The keys of a finished handshake.
    var keys: SRTPKeys? {
        if case .connected(let keys) = state { keys } else { nil }
    }
}

extension Array {
    /// Everything, leaving nothing.
    mutating func take() -> [Element] {
        defer { removeAll() }
        return self
    }
}
