internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import WebRTC

/// How bad a network is.
struct Weather: Sendable, CustomTestStringConvertible {
    var loss: Double
    var jitter: Int
    var reordering: Double
    var duplication: Double

    var testDescription: String {
        "loss \(loss) jitter \(jitter) ms reordering \(reordering) duplication \(duplication)"
    }

    var conditions: LossyNetwork<[UInt8]>.Conditions {
        var conditions = LossyNetwork<[UInt8]>.Conditions()
        conditions.loss = loss
        conditions.jitter = .milliseconds(jitter)
        conditions.reordering = reordering
        conditions.duplication = duplication
        return conditions
    }

    static let all: [Weather] = {
        var all: [Weather] = []
        for loss in [0, 0.02, 0.05, 0.1] {
            for jitter in [0, 30, 80] {
                for (reordering, duplication) in [(0.0, 0.0), (0.1, 0.05)] {
                    all.append(Weather(loss: loss, jitter: jitter, reordering: reordering, duplication: duplication))
                }
            }
        }
        return all
    }()
}

/// Messages of all sizes: one byte to many fragments.
private func message(_ number: Int, from end: String) -> DataChannels.Message {
    let length = [1, 20, 300, 1100, 1101, 5000, 60_000][number % 7]
    var bytes = Array("\(end) \(number) ".utf8)
    bytes += noise(length, seed: UInt64(number))
    return .binary(bytes)
}

@Suite struct SCTPNetworkTests {
    @Test(arguments: Weather.all) func `all messages arrive once and in order, both ways`(weather: Weather) throws {
        for seed in [1, 2, 3] as [UInt64] {
            let pair = SCTPPair(weather.conditions, seed: seed)
            #expect(pair.connect())
            let channel = try pair.left.channels.open(DataChannelParameters(label: "chat"), at: pair.now)
            #expect(pair.run(until: pair.now + .seconds(60)) { pair.right.opened == [channel] })
            // A message every 20 ms for two seconds, as a busy conversation has.
            let count = 100
            var expectedRight: [DataChannels.Message] = []
            var expectedLeft: [DataChannels.Message] = []
            for number in 0..<count {
                let (there, back) = (message(number, from: "left"), message(number + 3, from: "right"))
                try pair.left.channels.send(there, on: channel, at: pair.now)
                try pair.right.channels.send(back, on: channel, at: pair.now)
                expectedRight.append(there)
                expectedLeft.append(back)
                pair.run(until: pair.now + .milliseconds(20))
                // Never more than the buffer takes.
                pair.run(until: pair.now + .seconds(120)) {
                    max(pair.left.channels.bufferedBytes, pair.right.channels.bufferedBytes) < 500_000
                }
            }
            pair.run(until: pair.now + .seconds(300)) {
                pair.left.messages.count == count && pair.right.messages.count == count
            }
            #expect(pair.right.messages == expectedRight)
            #expect(pair.left.messages == expectedLeft)
            #expect(pair.left.ended == nil && pair.right.ended == nil)
            // The last acknowledgements may be lost, again and again.
            pair.run(until: pair.now + .seconds(30))
            #expect(pair.left.channels.bufferedBytes == 0 && pair.right.channels.bufferedBytes == 0)
        }
    }

    @Test(arguments: [0.02, 0.05, 0.1]) func `a small message is never late by more than a few timeouts`(
        loss: Double
    ) throws {
        var conditions = LossyNetwork<[UInt8]>.Conditions()
        conditions.loss = loss
        conditions.jitter = .milliseconds(30)
        let pair = SCTPPair(conditions, seed: 7)
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "chat"), at: pair.now)
        var latencies: [Duration] = []
        for number in 0..<200 {
            let start = pair.now
            try pair.left.channels.send(.text("message \(number)"), on: channel, at: start)
            #expect(pair.run(until: start + .seconds(20)) { pair.right.messages.count == number + 1 })
            latencies.append(pair.now - start)
            pair.run(until: pair.now + .milliseconds(100))
        }
        latencies.sort()
        #expect(latencies[100] < .milliseconds(60))
        #expect(latencies[199] < .seconds(4), "the slowest of 200 took \(latencies[199])")
    }

    @Test func `a path that dies for five seconds is used again`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "chat"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        let start = pair.now
        pair.network.conditions.loss = 1
        try pair.left.channels.send(.text("are you there?"), on: channel, at: pair.now)
        pair.run(until: start + .seconds(5))
        #expect(pair.right.messages.isEmpty)
        pair.network.conditions.loss = 0
        #expect(pair.run(until: start + .seconds(9)) { pair.right.messages == [.text("are you there?")] })
    }

    @Test func `a dead path ends the association after ten timeouts`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "chat"), at: pair.now)
        pair.run(until: pair.now + .seconds(1))
        pair.network.conditions.loss = 1
        try pair.left.channels.send(.text("are you there?"), on: channel, at: pair.now)
        pair.run(until: pair.now + .seconds(60))
        #expect(pair.left.ended == .timedOut)
        #expect(pair.left.closed == [channel])
        #expect(throws: VoiceError.self) {
            try pair.left.channels.send(.text("still?"), on: channel, at: pair.now)
        }
    }

    @Test func `an idle dead path is noticed by heartbeats`() throws {
        let pair = SCTPPair()
        #expect(pair.connect())
        pair.run(until: pair.now + .seconds(200))
        #expect(pair.left.ended == nil && pair.right.ended == nil)
        pair.network.conditions.loss = 1
        pair.run(until: pair.now + .seconds(120))
        #expect(pair.left.ended == .timedOut && pair.right.ended == .timedOut)
    }

    @Test func `nobody there ends the handshake`() {
        let pair = SCTPPair()
        pair.network.conditions.loss = 1
        pair.left.channels.start(at: .zero)
        pair.run(until: .seconds(60))
        #expect(pair.left.ended == .timedOut)
        // One try and eight more.
        #expect(pair.left.packets.count == 9)
    }

    @Test func `a full path is used well`() throws {
        // 1 MB over a path of 40 ms there and back: the window grows, so this takes a second or two, not minutes.
        let pair = SCTPPair()
        #expect(pair.connect())
        let channel = try pair.left.channels.open(DataChannelParameters(label: "file"), at: pair.now)
        let start = pair.now
        for _ in 0..<16 { try pair.left.channels.send(.binary(noise(60_000, seed: 1)), on: channel, at: pair.now) }
        #expect(pair.run(until: start + .seconds(3)) { pair.right.messages.count == 16 })
    }
}
