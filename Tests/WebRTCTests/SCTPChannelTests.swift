internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import WebRTC

private typealias Conditions = LossyNetwork<[UInt8]>.Conditions

/// Opening, closing and the kinds of data channels (RFC 8831, RFC 8832).
@Suite struct SCTPChannelTests {
    private static let everyKind: [DataChannelParameters] = [
        DataChannelParameters(label: "reliable"),
        DataChannelParameters(label: "", subprotocol: "RTVI", isOrdered: false),
        DataChannelParameters(label: "ünï", reliability: .retransmissions(3)),
        DataChannelParameters(label: "a", isOrdered: false, reliability: .retransmissions(0)),
        DataChannelParameters(label: "b", reliability: .lifetime(.milliseconds(250)), priority: 512),
        DataChannelParameters(label: "c", isOrdered: false, reliability: .lifetime(.milliseconds(1))),
    ]

    @Test(arguments: everyKind) func `a channel of any kind opens the same on both sides`(
        parameters: DataChannelParameters
    ) throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let there = try pair.left.channels.open(parameters, at: pair.now)
        let back = try pair.right.channels.open(parameters, at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        // The client's numbers are even, the server's odd.
        #expect(there == 0 && back == 1)
        for side in [pair.left, pair.right] {
            #expect(side.outputs.contains(.opened(there, parameters)))
            #expect(side.outputs.contains(.opened(back, parameters)))
        }
        try pair.left.channels.send(.text("händ"), on: there, at: pair.now)
        try pair.left.channels.send(.text(""), on: back, at: pair.now)
        try pair.right.channels.send(.binary([]), on: there, at: pair.now)
        try pair.right.channels.send(.binary([0, 255]), on: back, at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        #expect(pair.right.messages == [.text("händ"), .text("")])
        #expect(pair.left.messages == [.binary([]), .binary([0, 255])])
    }

    @Test func `messages sent before the association stands arrive after the channel opens`() throws {
        let pair = SCTPPair()
        let channel = try pair.left.channels.open(DataChannelParameters(label: "early", isOrdered: false), at: .zero)
        try pair.left.channels.send(.text("first"), on: channel, at: .zero)
        #expect(pair.connect())
        pair.run(until: pair.now + .seconds(1))
        let kinds = pair.right.outputs.map { output in
            switch output {
            case .connected: "connected"
            case .opened: "opened"
            case .message: "message"
            default: "else"
            }
        }
        #expect(kinds == ["connected", "opened", "message"])
    }

    @Test(arguments: [0, 0.1]) func `closing delivers what was sent, tells both sides, and frees the number`(
        loss: Double
    ) throws {
        var conditions = Conditions()
        conditions.loss = loss
        let pair = SCTPPair(conditions, seed: 5)
        #expect(pair.connect())
        for round in 1...5 {
            let channel = try pair.left.channels.open(DataChannelParameters(label: "short"), at: pair.now)
            #expect(channel == 0)
            for number in 0..<20 { try pair.left.channels.send(.text("\(round) \(number)"), on: channel, at: pair.now) }
            pair.left.channels.close(channel)
            #expect(throws: VoiceError.self) {
                try pair.left.channels.send(.text("late"), on: channel, at: pair.now)
            }
            #expect(
                pair.run(until: pair.now + .seconds(60)) {
                    pair.left.closed.count == round && pair.right.closed.count == round
                }
            )
            #expect(pair.right.messages.count == 20 * round)
            #expect(pair.right.messages.last == .text("\(round) 19"))
        }
    }

    @Test func `both sides may close at once`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        pair.left.channels.close(channel)
        pair.right.channels.close(channel)
        pair.run(until: pair.now + .seconds(5))
        #expect(pair.left.closed == [channel] && pair.right.closed == [channel])
    }

    @Test func `an unordered channel does not wait for what was lost`() throws {
        for isOrdered in [true, false] {
            let pair = SCTPPair()
            #expect(pair.connect())
            let parameters = DataChannelParameters(label: "u", isOrdered: isOrdered)
            let channel = try pair.left.channels.open(parameters, at: pair.now)
            pair.run(until: pair.now + .seconds(1))
            pair.network.conditions.loss = 1
            try pair.left.channels.send(.text("lost"), on: channel, at: pair.now)
            pair.drain()
            pair.network.conditions.loss = 0
            try pair.left.channels.send(.text("next"), on: channel, at: pair.now)
            pair.run(until: pair.now + .milliseconds(100))
            #expect(pair.right.messages == (isOrdered ? [] : [.text("next")]))
            pair.run(until: pair.now + .seconds(5))
            #expect(
                pair.right.messages == (isOrdered ? [.text("lost"), .text("next")] : [.text("next"), .text("lost")])
            )
        }
    }

    @Test(arguments: [true, false], [SCTPReliability.retransmissions(0), .lifetime(.milliseconds(10))])
    func `an unreliable channel gives up what is lost, and goes on`(
        isOrdered: Bool,
        reliability: SCTPReliability
    ) throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let parameters = DataChannelParameters(label: "p", isOrdered: isOrdered, reliability: reliability)
        let channel = try pair.left.channels.open(parameters, at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        // Of a long message the first packets are lost, the rest waits for the congestion window.
        var dropped = 0
        pair.tamper = { packet, end in
            guard end == .left, packet.count > 1000, dropped < 2 else { return packet }
            dropped += 1
            return nil
        }
        try pair.left.channels.send(.binary(noise(20_000, seed: 1)), on: channel, at: pair.now)
        pair.run(until: pair.now + .milliseconds(150))
        for number in 0..<5 { try pair.left.channels.send(.text("after \(number)"), on: channel, at: pair.now) }
        pair.run(until: pair.now + .seconds(10))
        #expect(dropped == 2)
        #expect(pair.right.messages == (0..<5).map { .text("after \($0)") })
        #expect(pair.left.channels.bufferedBytes == 0)
    }

    @Test func `a message sent again as often as allowed arrives`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let parameters = DataChannelParameters(label: "p", reliability: .retransmissions(2))
        let channel = try pair.left.channels.open(parameters, at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        for (losses, arrives) in [(2, true), (3, false)] {
            var dropped = 0
            pair.tamper = { packet, end in
                guard end == .left, packet.count > 500, dropped < losses else { return packet }
                dropped += 1
                return nil
            }
            let before = pair.right.messages.count
            try pair.left.channels.send(.binary(noise(600, seed: 2)), on: channel, at: pair.now)
            pair.run(until: pair.now + .seconds(30))
            #expect(dropped == losses)
            #expect(pair.right.messages.count == before + (arrives ? 1 : 0))
            #expect(pair.left.channels.bufferedBytes == 0)
        }
    }

    @Test(arguments: Weather.all.filter { $0.loss > 0 })
    func `unreliable ordered messages arrive at most once, in order, and never block`(weather: Weather) throws {
        let pair = SCTPPair(weather.conditions, seed: 11)
        #expect(pair.connect())
        let parameters = DataChannelParameters(label: "p", reliability: .lifetime(.milliseconds(200)))
        let channel = try pair.left.channels.open(parameters, at: pair.now)
        #expect(pair.run(until: pair.now + .seconds(60)) { pair.right.opened == [channel] })
        for number in 0..<300 {
            try pair.left.channels.send(.text("\(number)"), on: channel, at: pair.now)
            pair.run(until: pair.now + .milliseconds(20))
        }
        pair.run(until: pair.now + .seconds(30))
        let numbers = pair.right.messages.compactMap { message -> Int? in
            if case .text(let text) = message { Int(text) } else { nil }
        }
        #expect(numbers == Array(Set(numbers)).sorted())
        // What is lost is a message that was lost, and its repetition, or came too late for one.
        #expect(Double(numbers.count) >= 300 * (1 - 3 * weather.loss))
        #expect(pair.left.channels.bufferedBytes == 0)
    }

    @Test func `too many channels are refused on both sides`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        for _ in 0..<64 { _ = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now) }
        #expect(throws: VoiceError.self) {
            _ = try pair.left.channels.open(DataChannelParameters(label: "x"), at: pair.now)
        }
        pair.run(until: pair.now + .seconds(5))
        #expect(pair.right.opened.count == 64)
        #expect(throws: VoiceError.self) {
            _ = try pair.right.channels.open(DataChannelParameters(label: "x"), at: pair.now)
        }
    }

    @Test func `a full send buffer and a message too long are refused`() throws {
        let pair = SCTPPair()
        let channel = try pair.left.channels.open(DataChannelParameters(label: "x"), at: .zero)
        let long = [UInt8](repeating: 1, count: 65_536)
        #expect(throws: VoiceError.self) {
            try pair.left.channels.send(.binary(long + [1]), on: channel, at: .zero)
        }
        var sent = 0
        while (try? pair.left.channels.send(.binary(long), on: channel, at: .zero)) != nil { sent += 1 }
        #expect(sent == 15)
        // Small messages count too.
        var small = 0
        while (try? pair.left.channels.send(.binary([1]), on: channel, at: .zero)) != nil { small += 1 }
        #expect(small < 2000)
        #expect(pair.left.channels.bufferedBytes <= 1_048_576)
        // And all of it arrives.
        #expect(pair.connect())
        #expect(pair.run(until: pair.now + .seconds(30)) { pair.right.messages.count == sent + small })
    }
}
