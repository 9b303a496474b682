internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import WebRTC

/// The handshake, the end, and what happens to packets that are not what they should be (RFC 9260).
@Suite struct SCTPAssociationTests {
    @Test func `the checksum is the one everybody computes`() {
        // The check value of CRC-32C, and of 32 zeros: RFC 3720 appendix B.4.
        #expect(CRC32c.checksum(Array("123456789".utf8), zeroed: 100) == 0xE306_9283)
        #expect(CRC32c.checksum([UInt8](repeating: 0, count: 32), zeroed: 100) == 0x8A91_36AA)
        #expect(CRC32c.checksum([UInt8](repeating: 0xFF, count: 32), zeroed: 100) == 0x62A8_AB43)
    }

    @Test(arguments: [true, false]) func `either side may begin`(leftBegins: Bool) {
        let pair = SCTPPair()
        if leftBegins { pair.left.channels.start(at: .zero) } else { pair.right.channels.start(at: .zero) }
        #expect(pair.run(until: .seconds(1)) { pair.left.isConnected && pair.right.isConnected })
        // Two round trips, of which one side knows after one and a half.
        #expect(pair.now == .milliseconds(80))
    }

    @Test(arguments: Weather.all) func `both may begin at once, on any network`(weather: Weather) {
        for seed in 1...20 as ClosedRange<UInt64> {
            let pair = SCTPPair(weather.conditions, seed: seed)
            #expect(pair.connect())
            pair.run(until: pair.now + .seconds(5))
            #expect(pair.left.outputs == [.connected] && pair.right.outputs == [.connected])
        }
    }

    @Test func `shutting down delivers everything first and ends both sides in good order`() throws {
        for loss in [0, 0.1] {
            var conditions = LossyNetwork<[UInt8]>.Conditions()
            conditions.loss = loss
            let pair = SCTPPair(conditions, seed: 3)
            #expect(pair.connect())
            let channel = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now)
            for _ in 0..<30 { try pair.left.channels.send(.binary(noise(3000, seed: 1)), on: channel, at: pair.now) }
            pair.left.channels.shutDown(at: pair.now)
            pair.run(until: pair.now + .seconds(60))
            #expect(pair.right.messages.count == 30)
            #expect(pair.left.ended == .some(nil) && pair.right.ended == .some(nil))
            #expect(pair.left.channels.nextTimeout == nil && pair.right.channels.nextTimeout == nil)
        }
    }

    @Test func `both may shut down at once`() {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.left.channels.shutDown(at: pair.now)
        pair.right.channels.shutDown(at: pair.now)
        pair.run(until: pair.now + .seconds(5))
        #expect(pair.left.ended == .some(nil) && pair.right.ended == .some(nil))
    }

    @Test func `an abort is told`() {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.left.channels.abort()
        pair.run(until: pair.now + .seconds(1))
        #expect(pair.left.ended == .closedHere)
        #expect(pair.right.ended == .aborted("cause 12: "))
    }

    @Test func `a side that forgot everything can begin anew`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.right.channels.open(DataChannelParameters(label: "old"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        pair.left.channels = DataChannels(role: .client, seed: 99)
        pair.left.outputs = []
        pair.left.channels.start(at: pair.now)
        pair.run(until: pair.now + .seconds(5))
        #expect(pair.left.isConnected)
        #expect(pair.right.closed == [channel])
        let new = try pair.left.channels.open(DataChannelParameters(label: "new"), at: pair.now)
        try pair.left.channels.send(.text("hello again"), on: new, at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        #expect(pair.right.messages == [.text("hello again")])
    }

    @Test func `two packets are acknowledged at once, a single one within 200 ms`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        let before = pair.right.packets.count
        try pair.left.channels.send(.text("one"), on: channel, at: pair.now)
        pair.run(until: pair.now + .milliseconds(219))
        #expect(pair.right.packets.count == before)
        pair.run(until: pair.now + .milliseconds(2))
        #expect(pair.right.packets.count == before + 1)
        try pair.left.channels.send(.binary(noise(2200, seed: 1)), on: channel, at: pair.now)
        pair.run(until: pair.now + .milliseconds(21))
        #expect(pair.right.packets.count == before + 2)
    }

    @Test func `a loss that later packets show is sent again without waiting for a timeout`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        let start = pair.now
        var isFirst = true
        pair.tamper = { packet, end in
            guard end == .left, isFirst else { return packet }
            isFirst = false
            return nil
        }
        for number in 0..<5 {
            try pair.left.channels.send(.text("\(number)"), on: channel, at: pair.now)
            pair.run(until: pair.now + .milliseconds(5))
        }
        // Three reports of what came after (10, 15, 20 ms), there and back and there again: 80 ms, not the 400 of a timeout.
        #expect(pair.run(until: start + .milliseconds(100)) { pair.right.messages.count == 5 })
    }

    @Test func `the other side's window is kept`() throws {
        var configuration = SCTPConfiguration()
        configuration.maximumMessage = 5_000
        configuration.receiveBuffer = 10_000
        let pair = SCTPPair(configuration: configuration)
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        // The first of many is lost again and again, so that the others fill the window.
        var losses = 6
        var largest = 0
        pair.tamper = { packet, end in
            guard end == .left, let decoded = SCTPPacket.decode(packet) else { return packet }
            for case .data(let data) in decoded.chunks {
                largest = max(largest, Int(data.tsn.value &- pair.left.firstTSN.value))
                if data.tsn == pair.left.firstTSN.advanced(by: 1), losses > 0 {
                    losses -= 1
                    return nil
                }
            }
            return packet
        }
        for _ in 0..<100 { try pair.left.channels.send(.binary(noise(1000, seed: 1)), on: channel, at: pair.now) }
        pair.run(until: pair.now + .seconds(1))
        #expect(largest <= 11)
        #expect(pair.run(until: pair.now + .seconds(120)) { pair.right.messages.count == 100 })
    }

    // MARK: - packets that are not what they should be

    @Test func `unknown chunks and parameters are skipped or reported as their type says`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(until: pair.now + .seconds(1))
        for (type, isReported, isSkipped) in [
            (0x3F, false, false), (0x7F, true, false), (0xBF, false, true), (0xFF, true, true),
        ]
            as [(UInt8, Bool, Bool)]
        {
            let sample = try #require(pair.left.packets.last.flatMap(SCTPPacket.decode))
            var packet = sample
            packet.chunks = [.unknown(type: type, flags: 0, value: [1, 2, 3]), .heartbeat([0, 1, 0, 5, 9])]
            let before = pair.right.packets.count
            pair.right.channels.handle(packet: packet.encode(), at: pair.now)
            pair.drain()
            let answers = pair.right.packets[before...].compactMap(SCTPPacket.decode).flatMap(\.chunks)
            #expect(answers.contains(.heartbeatAcknowledgement([0, 1, 0, 5, 9])) == isSkipped)
            let report = SCTPParameter(type: 6, value: [type, 0, 0, 7, 1, 2, 3, 0])
            #expect(answers.contains(.error([report])) == isReported)
        }
    }

    @Test func `packets for another association are dropped`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let good = try #require(pair.left.packets.last.flatMap(SCTPPacket.decode))
        var wrong = [good, good, good]
        wrong[0].tag &+= 1
        wrong[1].destinationPort = 5001
        wrong[2].sourcePort = 5001
        for packet in wrong {
            var packet = packet
            packet.chunks = [.abort([], reflectsTag: false)]
            pair.right.channels.handle(packet: packet.encode(), at: pair.now)
        }
        pair.drain()
        #expect(pair.right.ended == nil)
        #expect(pair.right.channels.droppedPackets == 3)
    }

    @Test func `random bytes and damaged packets end nothing but the association, and are bounded`() throws {
        // A conversation's packets of every kind, to be damaged.
        var conditions = LossyNetwork<[UInt8]>.Conditions()
        conditions.loss = 0.05
        let source = SCTPPair(conditions, seed: 21)
        #expect(source.connect())
        for parameters in [
            DataChannelParameters(label: "x"), .init(label: "y", isOrdered: false, reliability: .retransmissions(0)),
        ] {
            let channel = try source.left.channels.open(parameters, at: source.now)
            for number in 0..<20 {
                try source.left.channels.send(.binary(noise(number * 200, seed: 1)), on: channel, at: source.now)
                source.run(until: source.now + .milliseconds(30))
            }
            source.left.channels.close(channel)
            source.run(until: source.now + .seconds(5))
        }
        source.left.channels.shutDown(at: source.now)
        source.run(until: source.now + .seconds(5))
        let packets = source.left.packets + source.right.packets
        #expect(packets.count > 60)

        var random = SplitMix64(seed: 22)
        for round in 0..<300 {
            let pair = SCTPPair(seed: UInt64(round))
            if round % 3 != 0 { #expect(pair.connect()) }
            let tag = pair.left.packets.lazy.compactMap(SCTPPacket.decode).first { $0.tag != 0 }?.tag
            for _ in 0..<100 {
                var bytes = packets[Int(random.next() % UInt64(packets.count))]
                for _ in 0..<(random.next() % 4) {
                    bytes[12 + Int(random.next() % UInt64(bytes.count - 12))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.next() % 8 == 0 {
                    bytes = Array(bytes.prefix(12 + Int(random.next() % UInt64(bytes.count - 12))))
                }
                if random.next() % 16 == 0 {
                    bytes = Array(bytes.prefix(12)) + noise(Int(random.next() % 200), seed: random.next())
                }
                if random.next() % 4 != 0, let tag { put(tag, at: 4, in: &bytes) }
                if random.next() % 16 != 0 { repairChecksum(&bytes) }
                pair.right.channels.handle(packet: bytes, at: pair.now)
                pair.drain()
                if random.next() % 10 == 0 {
                    pair.now += .milliseconds(300)
                    pair.right.channels.handleTimeout(at: pair.now)
                    pair.drain()
                }
            }
            #expect(pair.right.channels.bufferedBytes < 100_000 && pair.right.channels.bytesHeld < 100_000)
        }
    }

    @Test func `short packets are dropped`() {
        let pair = SCTPPair()
        for count in 0..<20 { pair.right.channels.handle(packet: [UInt8](repeating: 0, count: count), at: .zero) }
        #expect(pair.right.channels.poll(at: .zero) == nil)
        #expect(pair.right.channels.droppedPackets == 20)
    }

    @Test(arguments: 0..<4) func `a flood of data is bounded`(kind: Int) throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(until: pair.now + .seconds(1))
        var packet = try #require(pair.left.packets.last.flatMap(SCTPPacket.decode))
        packet.tag = try #require(pair.left.packets.compactMap(SCTPPacket.decode).last { $0.tag != 0 }).tag
        let first = pair.left.firstTSN
        let payload = noise(1000, seed: 1)
        for number in 0..<4000 {
            // In order without an end; ahead of a hole; with holes in each stream; far ahead.
            let tsn = first.advanced(
                by: kind == 0 ? number : kind == 1 ? number + 1 : kind == 2 ? number : number * 1000 + 1
            )
            packet.chunks = [
                .data(
                    DataChunk(
                        tsn: tsn,
                        stream: UInt16(number % 500),
                        sequence: kind == 2 ? UInt16(number / 500 + 1) : 0,
                        protocolIdentifier: 51,
                        isOrdered: true,
                        isFirst: kind != 0 || number == 0,
                        isLast: kind != 0,
                        payload: payload
                    )
                )
            ]
            if kind == 0, case .data(var data) = packet.chunks[0] {
                data.stream = 0
                packet.chunks = [.data(data)]
            }
            pair.right.channels.handle(packet: packet.encode(), at: pair.now)
            pair.drain()
        }
        #expect(pair.right.channels.bytesHeld <= 1_048_576 * 3 / 2)
        // What can never be delivered ends the association; what only waits for a missing packet does not.
        #expect((pair.right.ended != nil) == (kind == 0 || kind == 2))
    }

    @Test func `a flood of requests is answered with as many packets at most`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        var packet = try #require(pair.left.packets.last.flatMap(SCTPPacket.decode))
        packet.chunks = (0..<100).map { _ in .heartbeat([0, 1, 0, 8, 1, 2, 3, 4]) }
        let before = pair.right.packets.count
        for _ in 0..<1000 { pair.right.channels.handle(packet: packet.encode(), at: pair.now) }
        pair.drain()
        #expect(pair.right.packets.count - before == 1)
    }
}

extension SCTPPair.Side {
    /// The TSN of its first chunk, as its INIT or INIT ACK said.
    var firstTSN: TSN {
        for packet in packets.compactMap(SCTPPacket.decode) {
            switch packet.chunks[0] {
            case .initiation(let initiation), .initiationAcknowledgement(let initiation): return initiation.initialTSN
            default: continue
            }
        }
        return TSN(0)
    }
}

func put(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
    guard bytes.count >= offset + 4 else { return }
    for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index))) }
}

func repairChecksum(_ bytes: inout [UInt8]) {
    put(CRC32c.checksum(bytes, zeroed: 8).byteSwapped, at: 8, in: &bytes)
}
