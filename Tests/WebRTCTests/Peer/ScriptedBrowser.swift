internal import Testing
internal import VoiceCore

@testable internal import WebRTC

/// The browser's side of a call: offers, checks, a DTLS client of OpenSSL, SRTP and RTCP. Time is whatever the test says.
final class ScriptedBrowser {
    let client: DTLSClient
    var address: NetworkAddress
    /// Of the next offer.
    var credentials = ("them", "0123456789abcdef012345")
    var offered = Offers.small
    private(set) var srtp: SRTPSession?
    private(set) var rtp: RTPSession
    private var checker: Checker?
    private var isStarted = false
    /// What came in, decrypted.
    private(set) var heard: [RTPPacket] = []
    private(set) var reports: [RTCPPacket] = []
    private(set) var checkAnswers = 0
    private(set) var refused = 0

    init(identity: DTLSIdentity, host: String = "192.0.2.50", port: UInt16 = 7000, seed: UInt64 = 1) throws {
        client = try DTLSClient(identity: identity)
        address = try #require(NetworkAddress(host, port: port))
        var random = SplitMix64(seed: seed &+ 1000)
        rtp = RTPSession(rate: .wideband, name: "browser", random: &random)
    }

    /// The offer, with the real fingerprint.
    var offer: String {
        let fingerprint = client.fingerprints[0].description
        let lines = offered.split(separator: "\n").map { line in
            if line.hasPrefix("a=fingerprint:") { return "a=fingerprint:\(fingerprint)" }
            if line.hasPrefix("a=ice-ufrag:") { return "a=ice-ufrag:\(credentials.0)" }
            return line.hasPrefix("a=ice-pwd:") ? "a=ice-pwd:\(credentials.1)" : String(line)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Reads the credentials out of an answer.
    func accept(_ answer: String) throws {
        let description = try SessionDescription(answer)
        let section = try #require(description.media.first { $0.port != 0 })
        let local = ICECredentials(
            fragment: try #require(section.attributes.value("ice-ufrag")),
            password: try #require(section.attributes.value("ice-pwd"))
        )
        checker = Checker(local: try #require(local), fragment: credentials.0)
    }

    func check(nominates: Bool = true, password: String? = nil) throws -> [UInt8] {
        try #require(checker).check(nominates: nominates, password: password)
    }

    /// Takes a datagram of the peer; what comes back is the answer to it.
    func receive(_ datagram: Datagram, at now: Duration) throws -> [[UInt8]] {
        guard datagram.destination == address else { return [] }
        switch DatagramKind(datagram.bytes) {
        case .stun:
            guard STUNMessage(datagram.bytes)?.kind == .success else { return [] }
            checkAnswers += 1
            defer { isStarted = true }
            return isStarted ? [] : client.start()
        case .dtls:
            let answer = client.receive(datagram.bytes)
            if client.isConnected, srtp == nil { srtp = try SRTPSession(keys: try client.keys, isServer: false) }
            return answer
        case .srtp where DatagramKind.isRTCP(datagram.bytes):
            guard let plain = try #require(srtp).unprotect(rtcp: datagram.bytes) else { return refuse() }
            let packets = try #require(RTCPPacket.parse(plain))
            rtp.receive(packets, at: now)
            reports += packets
            return []
        case .srtp:
            guard let plain = try #require(srtp).unprotect(rtp: datagram.bytes) else { return refuse() }
            let packet = try #require(RTPPacket(plain))
            rtp.receive(packet, isRegular: true, at: now)
            heard.append(packet)
            return []
        case .unknown: return []
        }
    }

    /// SRTP that came twice, or was changed on its way.
    private func refuse() -> [[UInt8]] {
        refused += 1
        return []
    }

    func audio(_ payload: [UInt8], type: UInt8 = 96, timestamp: UInt32 = 0, at now: Duration = .zero) throws -> [UInt8]
    {
        let packet = rtp.send(payload, type: type, timestamp: timestamp, marker: false, at: now)
        return try #require(srtp?.protect(rtp: packet.bytes))
    }

    func report(at now: Duration) throws -> [UInt8] {
        let report = rtp.report(at: now)
        return try #require(srtp?.protect(rtcp: report))
    }
}

/// A peer, its browser, and nothing between them that loses anything.
final class ScriptedCall {
    static let here = NetworkAddress("192.0.2.1", port: 4000)
    let peer: Peer
    let browser: ScriptedBrowser
    var now = Duration.zero
    /// What the peer had for its owner, other than datagrams.
    private(set) var audio: [RTPPacket] = []
    private(set) var data: [[UInt8]] = []
    private(set) var digits = ""
    private(set) var states: [PeerState] = []

    init(seed: UInt64 = 1, offered: String = Offers.small) throws {
        browser = try ScriptedBrowser(identity: DTLSIdentity(), seed: seed)
        browser.offered = offered
        let identity = try DTLSIdentity()
        let configuration = PeerConfiguration(identity: identity, addresses: [try #require(Self.here)])
        peer = Peer(configuration: configuration, random: SplitMix64(seed: seed), at: .zero)
    }

    /// Offers and answers.
    func negotiate() throws { try browser.accept(peer.answer(browser.offer, at: now)) }

    func connect() throws {
        try negotiate()
        try send(browser.check())
        try #require(peer.isConnected)
    }

    /// Brings a datagram to the peer, and everything that follows to its end.
    func send(_ datagram: [UInt8], from source: NetworkAddress? = nil) throws {
        var toPeer = [datagram]
        while !toPeer.isEmpty {
            for bytes in toPeer.take() { peer.handle(bytes, from: source ?? browser.address, at: now) }
            toPeer = try drain()
        }
    }

    /// Moves the time, with all that is due until then.
    func advance(to end: Duration) throws {
        while let next = peer.nextTimeout, next <= end {
            now = max(now, next)
            peer.handleTimeout(at: now)
            for bytes in try drain() { try send(bytes) }
        }
        now = end
    }

    /// Takes the peer's outputs; what comes back is the browser's answer.
    func drain() throws -> [[UInt8]] {
        var toPeer: [[UInt8]] = []
        while let output = peer.poll() {
            switch output {
            case .transmit(let datagram): toPeer += try browser.receive(datagram, at: now)
            case .audio(let packet): audio.append(packet)
            case .digit(let digit): digits.append(digit)
            case .data(let bytes): data.append(bytes)
            case .state(let state): states.append(state)
            }
        }
        return toPeer
    }
}

extension Peer {
    var isConnected: Bool { if case .connected = state { true } else { false } }

    /// Why it failed.
    var failure: VoiceError? { if case .failed(let error) = state { error } else { nil } }
}
