internal import Testing
internal import VoiceCore

@testable internal import WebRTC

@Suite struct PeerTableTests {
    let calls: [ScriptedCall]

    init() throws {
        calls = try (1...3).map { try ScriptedCall(seed: UInt64($0)) }
        for (call, port) in zip(calls, UInt16(7001)...) {
            call.browser.address = try #require(NetworkAddress("192.0.2.50", port: port))
            try call.negotiate()
        }
    }

    @Test func `browsers behind one address talk to their own peers`() throws {
        var table = PeerTable(capacity: 3)
        for call in calls { try table.register(call.peer) }
        for call in calls { try exchange(call.browser.check(), of: call, over: &table) }
        #expect(calls.allSatisfy { $0.peer.isConnected })
        for (number, call) in zip(UInt8(0)..., calls) {
            try exchange(call.browser.audio([number]), of: call, over: &table)
        }
        #expect(calls.map { $0.audio.map(\.payload) } == [[[0]], [[1]], [[2]]])
        #expect(table.strays == 0)
    }

    @Test func `datagrams of nobody are counted`() throws {
        var table = PeerTable(capacity: 3)
        try table.register(calls[0].peer)
        for bytes in [try calls[1].browser.check(), [0x16, 1], [0x80, 1], [], [0x40]] {
            #expect(try owner(of: bytes, of: calls[0], over: &table) == nil)
        }
        #expect(table.strays == 5)
        // A wrong password reaches the peer by its name, but wins no address.
        #expect(try owner(of: calls[0].browser.check(password: "wrong"), of: calls[0], over: &table) === calls[0].peer)
        #expect(try owner(of: [0x16, 1], of: calls[0], over: &table) == nil)
    }

    @Test func `a full table says so, and a removed peer leaves room and no trace`() throws {
        var table = PeerTable(capacity: 2)
        try table.register(calls[0].peer)
        try table.register(calls[1].peer)
        try table.register(calls[1].peer)
        func register(_ peer: Peer) throws { try table.register(peer) }
        let error = #expect(throws: VoiceError.self) { try register(calls[2].peer) }
        #expect(error?.code == .exhausted)
        try exchange(calls[0].browser.check(), of: calls[0], over: &table)
        #expect(table.byAddress.count == 1)
        table.remove(calls[0].peer)
        table.remove(calls[0].peer)
        #expect(table.byAddress.isEmpty)
        #expect(try owner(of: calls[0].browser.check(), of: calls[0], over: &table) == nil)
        #expect(try owner(of: calls[0].browser.audio([1]), of: calls[0], over: &table) == nil)
        try table.register(calls[2].peer)
        #expect(table.peers.count == 2)
    }

    @Test func `an address belongs to the peer of its latest check`() throws {
        var table = PeerTable(capacity: 3)
        for call in calls { try table.register(call.peer) }
        try exchange(calls[0].browser.check(), of: calls[0], over: &table)
        calls[1].browser.address = calls[0].browser.address
        #expect(try owner(of: [0x16, 1], of: calls[0], over: &table) === calls[0].peer)
        try exchange(calls[1].browser.check(), of: calls[1], over: &table)
        #expect(try owner(of: [0x16, 1], of: calls[0], over: &table) === calls[1].peer)
        table.remove(calls[0].peer)
        #expect(try owner(of: [0x16, 1], of: calls[0], over: &table) === calls[1].peer)
    }

    @Test func `a peer owns no more addresses than it remembers`() throws {
        var table = PeerTable(capacity: 3)
        try table.register(calls[0].peer)
        for port in 1...UInt16(100) {
            calls[0].browser.address = try #require(NetworkAddress("198.51.100.1", port: port))
            try exchange(calls[0].browser.check(), of: calls[0], over: &table)
        }
        #expect(table.byAddress.count == ICELite.validLimit)
    }

    @Test func `names after a restart are entered`() throws {
        var table = PeerTable(capacity: 3)
        let call = calls[0]
        try table.register(call.peer)
        call.browser.credentials = ("they", "abcdefabcdefabcdefabcdef")
        try call.negotiate()
        #expect(try owner(of: call.browser.check(), of: call, over: &table) == nil)
        try table.register(call.peer)
        #expect(try owner(of: call.browser.check(), of: call, over: &table) === call.peer)
    }

    @Test func `time reaches those who wait for it`() throws {
        var table = PeerTable(capacity: 3)
        #expect(table.nextTimeout == nil)
        for call in calls { try table.register(call.peer) }
        #expect(table.nextTimeout == .seconds(30))
        #expect(table.handleTimeout(at: .seconds(29)).isEmpty)
        #expect(table.handleTimeout(at: .seconds(30)).count == 3)
        #expect(table.nextTimeout == nil)
        #expect(calls.allSatisfy { $0.peer.state.isOver })
    }

    private func owner(of bytes: [UInt8], of call: ScriptedCall, over table: inout PeerTable) throws -> Peer? {
        table.handle(bytes, from: call.browser.address, at: .zero)
    }

    private func exchange(_ bytes: [UInt8], of call: ScriptedCall, over table: inout PeerTable) throws {
        var toPeer = [bytes]
        while !toPeer.isEmpty {
            for bytes in toPeer.take() { _ = table.handle(bytes, from: call.browser.address, at: .zero) }
            toPeer = try call.drain()
        }
    }
}
