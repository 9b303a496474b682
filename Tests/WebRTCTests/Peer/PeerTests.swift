internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct PeerTests {
    @Test func `a browser connects, and audio and data go both ways`() throws {
        let call = try ScriptedCall()
        try call.connect()
        #expect(call.browser.client.isConnected)
        try call.send(call.browser.audio([1, 2, 3], timestamp: 960))
        #expect(call.audio.map(\.payload) == [[1, 2, 3]])
        #expect(call.audio.map(\.payloadType) == [96])
        #expect(call.peer.send(audio: [4, 5], timestamp: 0, marker: true, at: call.now))
        #expect(call.peer.send(data: [6], at: call.now))
        _ = try call.drain()
        #expect(call.browser.heard.map(\.payload) == [[4, 5]])
        #expect(call.browser.heard.map(\.marker) == [true])
        #expect(call.browser.client.received == [[6]])
        for datagram in call.browser.client.send([7, 8]) { try call.send(datagram) }
        #expect(call.data == [[7, 8]])
        #expect(call.states.count == 1 && call.peer.counters == PeerCounters())
        #expect(call.peer.dataChannels?.port == 5001)
    }

    @Test func `nothing is sent or taken before a valid check`() throws {
        let call = try ScriptedCall()
        try call.negotiate()
        for datagram in call.browser.client.start() + [[128, 96, 0], [0x16, 0xfe]] {
            call.peer.handle(datagram, from: call.browser.address, at: .zero)
        }
        call.peer.handle(try call.browser.check(password: "wrong"), from: call.browser.address, at: .zero)
        #expect(call.peer.poll() == nil)
        #expect(call.peer.counters == PeerCounters(ignoredChecks: 1, foreign: 3))
        #expect(!call.peer.send(audio: [1], timestamp: 0, marker: false, at: .zero))
        #expect(!call.peer.send(data: [1], at: .zero))
    }

    @Test func `a peer without an offer takes nothing`() throws {
        let call = try ScriptedCall()
        for datagram in [try hex(SampleMessages.request), [0x16], [0x80], [0x40], []] {
            call.peer.handle(datagram, from: call.browser.address, at: .zero)
        }
        #expect(call.peer.poll() == nil)
        #expect(call.peer.fragments.isEmpty)
    }

    @Test func `another certificate than the offer's ends the call`() throws {
        let call = try ScriptedCall()
        let other = try DTLSClient(identity: DTLSIdentity()).fingerprints[0].description
        let offer = call.browser.offer.replacing(call.browser.client.fingerprints[0].description, with: other)
        try call.browser.accept(try call.peer.answer(offer, at: .zero))
        try call.send(call.browser.check())
        #expect(call.peer.failure?.message.contains("fingerprint") == true)
        #expect(call.states.count == 1 && call.browser.client.isBroken)
        #expect(call.peer.nextTimeout == nil)
        #expect(throws: VoiceError.self) { try call.peer.answer(call.browser.offer, at: .zero) }
    }

    @Test func `a browser that never comes is given up`() throws {
        let call = try ScriptedCall()
        try call.negotiate()
        #expect(call.peer.nextTimeout == .seconds(30))
        try call.advance(to: .seconds(29))
        #expect(!call.peer.state.isOver)
        try call.advance(to: .seconds(30))
        #expect(call.peer.failure?.code == .unavailable)
        #expect(call.peer.failure?.message.contains("no packet") == true)
        #expect(call.peer.nextTimeout == nil)
    }

    @Test func `a browser that falls silent is gone after 30 s without a check`() throws {
        let call = try ScriptedCall()
        try call.connect()
        for second in stride(from: 5, through: 60, by: 5) {
            try call.advance(to: .seconds(second))
            try call.send(call.browser.check())
        }
        try call.advance(to: .milliseconds(89_999))
        // Audio is no consent.
        try call.send(call.browser.audio([1]))
        #expect(call.peer.isConnected)
        try call.advance(to: .seconds(90))
        #expect(call.peer.failure?.code == .unavailable)
        #expect(!call.peer.send(audio: [1], timestamp: 0, marker: false, at: call.now))
    }

    @Test func `packets follow the browser to another address`() throws {
        let call = try ScriptedCall()
        try call.connect()
        let next = try #require(NetworkAddress("2001:db8::50", port: 9))
        try call.send(call.browser.audio([1]), from: next)
        #expect(call.audio.isEmpty && call.peer.counters.foreign == 1)
        call.browser.address = next
        try call.send(call.browser.check())
        try call.send(call.browser.audio([2]))
        #expect(call.audio.map(\.payload) == [[2]])
        call.peer.send(audio: [3], timestamp: 0, marker: false, at: call.now)
        _ = try call.drain()
        #expect(call.browser.heard.map(\.payload) == [[3]])
    }

    @Test func `when the nomination is lost, DTLS answers where the browser speaks from`() throws {
        let call = try ScriptedCall()
        try call.negotiate()
        try call.send(call.browser.check(nominates: false))
        #expect(call.peer.isConnected)
        let other = try #require(NetworkAddress("127.0.0.1", port: 9))
        call.peer.handle(try call.browser.check(nominates: false), from: other, at: .zero)
        call.peer.send(audio: [1], timestamp: 0, marker: false, at: .zero)
        try call.send(call.browser.audio([2]))
        call.peer.send(audio: [3], timestamp: 0, marker: false, at: .zero)
        _ = try call.drain()
        #expect(call.browser.heard.map(\.payload) == [[1], [3]])
    }

    @Test func `replayed and changed packets are refused, payloads of other types ignored`() throws {
        let call = try ScriptedCall()
        try call.connect()
        let packet = try call.browser.audio([1])
        var changed = packet
        changed[changed.count - 1] ^= 1
        for bytes in [changed, packet, packet, try call.browser.audio([2], type: 0), [0x80]] { try call.send(bytes) }
        #expect(call.audio.map(\.payload) == [[1]])
        #expect(call.peer.counters == PeerCounters(unexpected: 1, replayed: 1, inauthentic: 2))
    }

    @Test func `a key is told once for all its packets`() throws {
        let call = try ScriptedCall()
        try call.connect()
        for (event, timestamp) in [(5, 960), (5, 960), (5, 960), (11, 9600), (11, 9600), (5, 19_200), (200, 30_000)] {
            try call.send(call.browser.audio([UInt8(event), 0x0a, 0, 160], type: 97, timestamp: UInt32(timestamp)))
        }
        #expect(call.digits == "5#5")
        #expect(call.peer.statistics.received == 7)
    }

    @Test func `reports tell both sides of loss and round trip`() throws {
        let call = try ScriptedCall()
        try call.connect()
        for number in 0..<50 {
            try call.advance(to: .milliseconds(20 * number))
            let packet = try call.browser.audio([1], timestamp: UInt32(960 * number), at: call.now)
            if number % 10 != 5 { try call.send(packet) }
            call.peer.send(audio: [2], timestamp: UInt32(960 * number), marker: false, at: call.now)
            _ = try call.drain()
        }
        try call.advance(to: .seconds(1))
        #expect(call.browser.rtp.statistics.remoteLost == 5)
        #expect(call.browser.rtp.statistics.remoteFractionLost == Double(5 * 256 / 50) / 256)
        guard case .senderReport(_, let report, _)? = call.browser.reports.first else { return #expect(Bool(false)) }
        #expect(report.packets == 50 && report.octets == 50)
        // The browser's report comes 40 ms after it was made.
        let answer = try call.browser.report(at: call.now)
        try call.advance(to: .milliseconds(1040))
        try call.send(answer)
        let statistics = call.peer.statistics
        #expect(abs((statistics.roundTrip ?? .zero).milliseconds - 40) < 0.1)
        #expect(statistics.received == 45 && statistics.lost == 5 && statistics.sent == 50)
        #expect(statistics.remoteLost == 0)
    }

    @Test func `good-bye is said both ways`() throws {
        let call = try ScriptedCall()
        try call.connect()
        call.peer.close(at: .zero)
        _ = try call.drain()
        guard case .goodbye(let sources)? = call.browser.reports.last else { return #expect(Bool(false)) }
        #expect(sources.count == 1)
        #expect(call.browser.client.isBroken && call.peer.state.isOver && call.peer.nextTimeout == nil)
        let other = try ScriptedCall()
        try other.connect()
        for datagram in other.browser.client.close() { try other.send(datagram) }
        guard case .closed = other.peer.state else { return #expect(Bool(false), "\(other.peer.state)") }
        try other.send(other.browser.check())
        #expect(other.browser.checkAnswers == 1)
    }

    @Test func `outputs that nobody takes are bounded, and the state is not lost`() throws {
        let call = try ScriptedCall()
        try call.connect()
        for number in 0..<UInt32(Peer.outputLimit + 10) {
            call.peer.send(audio: [1], timestamp: number, marker: false, at: .zero)
        }
        #expect(call.peer.counters.dropped == 10)
        call.peer.close(at: .zero)
        _ = try call.drain()
        #expect(call.states.count == 2)
        #expect(call.browser.heard.count == Peer.outputLimit)
    }

    @Test func `no datagram crashes a peer`() throws {
        var random = SplitMix64(seed: 9)
        let call = try ScriptedCall()
        try call.connect()
        let samples = try [
            call.browser.check(), call.browser.audio([1, 2, 3]), call.browser.report(at: .seconds(1)),
            call.browser.client.send([1])[0],
        ]
        for _ in 0..<20_000 { try call.send(random.mutation(of: samples)) }
        try call.send(call.browser.audio([9], timestamp: 1))
        #expect(call.audio.last?.payload == [9])
        #expect(call.peer.isConnected)
    }
}
