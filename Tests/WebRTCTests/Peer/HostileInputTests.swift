internal import Testing
internal import VoiceCore

@testable internal import WebRTC

/// What strangers send who want to crash, fill or misuse a server.
@Suite struct HostileInputTests {
    private static let identity = Result { try DTLSIdentity() }

    private static func peer(at now: Duration) throws -> Peer {
        let configuration = try PeerConfiguration(
            identity: identity.get(),
            addresses: [#require(NetworkAddress("192.0.2.1", port: 4000))]
        )
        return Peer(configuration: configuration, at: now)
    }

    /// Whether a peer still exists.
    private struct Trace {
        weak var peer: Peer?
    }

    @Test func `ten thousand offers that nobody follows up leave nothing behind`() throws {
        let capacity = 64
        var table = PeerTable(capacity: capacity)
        var (now, refused, most) = (Duration.zero, 0, 0)
        var traces: [Trace] = []
        for _ in 0..<10_000 {
            now += .milliseconds(100)
            for peer in table.handleTimeout(at: now) where peer.state.isOver { table.remove(peer) }
            let peer = try Self.peer(at: now)
            _ = try peer.answer(Offers.small, at: now)
            traces.append(Trace(peer: peer))
            do { try table.register(peer) } catch { refused += 1 }
            if traces.count.isMultiple(of: 100) { most = max(most, traces.count { $0.peer != nil }) }
        }
        // In 30 s come 300 offers, of which the first 64 are taken.
        #expect(refused > 7_000 && refused < 8_000)
        #expect(most <= capacity + 1)
        for peer in table.handleTimeout(at: now + .seconds(30)) { table.remove(peer) }
        #expect(table.peers.isEmpty && table.byAddress.isEmpty && table.nextTimeout == nil)
        #expect(traces.allSatisfy { $0.peer == nil })
    }

    @Test(arguments: ["a", "\n", "a=x\n", "a=mid:a\r\n", "m=audio 9 RTP/SAVPF 0\n", "\u{1F399}", "\0"])
    func `a description of a megabyte is refused before it is read`(piece: String) throws {
        let text = Offers.small + String(repeating: piece, count: (1 << 20) / piece.utf8.count)
        let error = #expect(throws: VoiceError.self) { try Self.peer(at: .zero).answer(text, at: .zero) }
        #expect(error?.code == .malformedInput)
        #expect(error?.message.contains("bytes, more than \(SessionDescription.sizeLimit)") == true)
    }

    @Test func `strangers get no answer, whatever they send in the name of whichever address`() throws {
        var table = PeerTable(capacity: 2)
        let call = try ScriptedCall()
        try call.negotiate()
        try table.register(call.peer)
        let samples = try [
            call.browser.check(), call.browser.check(password: "wrong"), call.browser.check(nominates: false),
            call.browser.client.start()[0], hex("80c90001cafebabe"), [0x80, 96, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5],
        ]
        let whole = Set(samples)
        var random = SplitMix64(seed: 31)
        for number in 0..<20_000 {
            let bytes = random.mutation(of: samples)
            let host = [10, UInt8(number >> 16 & 0xff), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
            let source = try #require(NetworkAddress(bytes: host, port: UInt16.random(in: 1...65_535, using: &random)))
            if whole.contains(bytes) { continue }
            _ = table.handle(bytes, from: source, at: .milliseconds(number / 10))
            #expect(call.peer.poll() == nil)
            #expect(table.handle([0x16, 0xfe, 0xfd], from: source, at: .milliseconds(number / 10)) == nil)
        }
        #expect(table.byAddress.isEmpty)
        // The browser itself is still welcome.
        try call.send(call.browser.check())
        #expect(call.peer.isConnected)
    }

    @Test func `an answer to a check is not longer than the check, with either family of addresses`() throws {
        for host in ["192.0.2.77", "2001:db8::77"] {
            let call = try ScriptedCall()
            try call.negotiate()
            let source = try #require(NetworkAddress(host, port: 9))
            let check = try call.browser.check()
            call.peer.handle(check, from: source, at: .zero)
            guard case .transmit(let answer)? = call.peer.poll() else { return #expect(Bool(false)) }
            #expect(answer.destination == source)
            #expect(answer.bytes.count <= check.count)
            #expect(call.peer.poll() == nil)
        }
    }

    @Test func `a check that was overheard wins its sender an address, but neither sound nor silence of the call`()
        throws
    {
        let call = try ScriptedCall()
        try call.connect()
        let thief = try #require(NetworkAddress("203.0.113.66", port: 6))
        // The browser nominates after the thief has sent what it overheard: packets go to the browser.
        call.peer.handle(try call.browser.check(), from: thief, at: call.now)
        while call.peer.poll() != nil {}
        try call.send(call.browser.check())
        call.peer.send(audio: [1], timestamp: 0, marker: false, at: call.now)
        for datagram in [[0x16, 0xfe, 0xfd, 0, 1], [0x80, 96, 0, 1] + [UInt8](repeating: 7, count: 40)] {
            call.peer.handle(datagram, from: thief, at: call.now)
        }
        _ = try call.drain()
        #expect(call.browser.heard.map(\.payload) == [[1]])
        #expect(call.audio.isEmpty && call.peer.isConnected)
        #expect(call.peer.counters.inauthentic == 1)
    }

    @Test func `everything that was recorded of a call and is sent again changes nothing`() throws {
        let call = try ScriptedCall()
        try call.connect()
        var recorded: [[UInt8]] = []
        for number in UInt32(0)..<200 {
            recorded.append(try call.browser.audio([UInt8(number)], timestamp: 960 * number))
        }
        recorded.append(try call.browser.report(at: .seconds(1)))
        for bytes in recorded { try call.send(bytes) }
        #expect(call.audio.count == 200)
        for bytes in recorded { try call.send(bytes) }
        for bytes in recorded { try call.send(Array(bytes.dropLast())) }
        #expect(call.audio.count == 200)
        // libsrtp looks at a packet's number before its tag: what was cut off counts as one or the other.
        #expect(call.peer.counters.replayed >= 201)
        #expect(call.peer.counters.replayed + call.peer.counters.inauthentic == 402)
        try call.send(call.browser.audio([9], timestamp: 960 * 200))
        #expect(call.audio.count == 201)
    }
}
