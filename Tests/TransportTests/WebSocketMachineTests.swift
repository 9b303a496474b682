internal import NIOCore
internal import NIOWebSocket
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct WebSocketMachineTests {
    static let hello = text(
        #"{"type":"hello","version":1,"microphone":{"sample_rate":16000},"playout":{"sample_rate":48000}}"#
    )

    @Test func `hello begins the conversation and audio keeps its place`() {
        var machine = WebSocketMachine(limits: WebSocketLimits(), at: .zero)
        let begin = WebSocketMachine.Action.begin(.init(microphone: .speech, playout: .wideband))
        #expect(machine.receive(Self.hello, at: .zero) == begin)
        for position in [0, 2, 4] {
            let frame = AudioFrame(samples: [0.5, 0], rate: .speech, position: position)
            #expect(machine.receive(clientFrame(.binary, [1, 0, 0, 0x40, 0, 0]), at: .zero) == .deliver(.audio(frame)))
        }
    }

    @Test func `messages become events and answers`() {
        var machine = Self.conversing()
        #expect(machine.receive(Self.text(#"{"type":"interrupt"}"#), at: .zero) == .deliver(.interrupt))
        #expect(machine.receive(Self.text(#"{"type":"text","text":"hi"}"#), at: .zero) == .deliver(.text("hi")))
        #expect(machine.receive(Self.text(#"{"type":"ping","t":1}"#), at: .zero) == .say(.pong(1)))
        #expect(machine.receive(clientFrame(.ping, [7]), at: .zero) == .perform(.pong(ByteBuffer(bytes: [7]))))
        #expect(machine.receive(Self.text(#"{"type":"later"}"#), at: .zero) == .perform(.none))
        let played = Self.text(#"{"type":"played","epoch":1,"samples":960}"#)
        #expect(machine.receive(played, at: .zero) == .deliver(.played(epoch: 1, samples: 960)))
    }

    @Test func `bye closes with 1000 and nothing is delivered after it`() {
        var machine = Self.conversing()
        #expect(machine.receive(Self.text(#"{"type":"bye"}"#), at: .zero) == .perform(.close(.ended)))
        #expect(machine.receive(Self.text(#"{"type":"interrupt"}"#), at: .zero) == .perform(.none))
        #expect(machine.receive(clientFrame(.text, [0xff], isMasked: false), at: .zero) == .perform(.none))
        #expect(machine.receive(clientFrame(.connectionClose), at: .zero) == .perform(.disconnect(isDead: false)))
    }

    @Test func `the peer's close is answered with its code`() {
        var machine = Self.conversing()
        #expect(
            machine.receive(clientFrame(.connectionClose, [0x03, 0xe9]), at: .zero) == .perform(.answerClose(1001))
        )
    }

    @Test(arguments: [
        Self.text(#"{"type":"interrupt"}"#), Self.text(#"{"type":"bye"}"#), clientFrame(.binary, [1, 0, 0, 0]),
    ])
    func `anything before hello closes with 1002`(frame: WebSocketFrame) {
        var machine = WebSocketMachine(limits: WebSocketLimits(), at: .zero)
        #expect(machine.receive(frame, at: .zero).code == 1002)
    }

    @Test func `a second hello closes with 1002`() {
        var machine = Self.conversing()
        #expect(machine.receive(Self.hello, at: .zero).code == 1002)
    }

    @Test func `without hello the connection closes after ten seconds`() {
        var machine = WebSocketMachine(limits: WebSocketLimits(), at: .seconds(5))
        #expect(machine.tick(at: .seconds(14)) == .perform(.none))
        #expect(machine.tick(at: .seconds(15)).code == 1002)
        #expect(machine.tick(at: .seconds(16)) == .perform(.none))
    }

    @Test func `two pings without a sign of life and the peer is dead`() {
        var machine = Self.conversing()
        #expect(machine.tick(at: .seconds(19)) == .perform(.none))
        #expect(machine.tick(at: .seconds(20)) == .perform(.ping))
        #expect(machine.tick(at: .seconds(21)) == .perform(.none))
        #expect(machine.tick(at: .seconds(40)) == .perform(.ping))
        #expect(machine.tick(at: .seconds(60)) == .perform(.disconnect(isDead: true)))
    }

    @Test func `any frame is a sign of life`() {
        var machine = Self.conversing()
        for seconds in stride(from: 20, through: 200, by: 20) {
            #expect(machine.tick(at: .seconds(seconds)) == .perform(.ping))
            if seconds % 40 == 0 { #expect(machine.receive(clientFrame(.pong), at: .zero) == .perform(.none)) }
        }
    }

    @Test func `audio that comes faster than time passes is given up after a burst and keeps its place`() {
        var machine = Self.conversing()
        let second = clientFrame(.binary, [1, 0] + [UInt8](repeating: 0, count: 32_000))
        for _ in 0..<5 { #expect(machine.receive(second, at: .zero).position != nil) }
        for _ in 0..<2 { #expect(machine.receive(second, at: .milliseconds(900)) == .discard(.seconds(1))) }
        #expect(machine.receive(second, at: .seconds(1)).position == 7 * 16_000)
        #expect(machine.receive(second, at: .seconds(1)) == .discard(.seconds(1)))
    }

    @Test func `an hour of audio in real time is never given up`() {
        var allowance = AudioAllowance(burst: .seconds(5), at: .zero)
        for second in 1...3_600 {
            // A sound card that runs 0.1 % fast, on a network that delivers a second's worth at a time.
            let now = Duration.milliseconds(Double(second) * 999)
            let isAdmitted = (0..<50).allSatisfy { _ in allowance.admits(.milliseconds(20), at: now) }
            #expect(isAdmitted)
        }
    }

    @Test func `a frame over the limit closes with 1009`() {
        var machine = Self.conversing()
        #expect(machine.receive(.invalidFrameLength).code == 1009)
    }

    @Test func `no bytes make it trap, deliver after the end, or lose the count of samples`() {
        var random = SplitMix64(seed: 2)
        for _ in 0..<400 { fuzzOnce(&random) }
    }

    private func fuzzOnce(_ random: inout SplitMix64) {
        var machine = WebSocketMachine(limits: WebSocketLimits(), at: .zero)
        if Bool.random(using: &random) { _ = machine.receive(Self.hello, at: .zero) }
        var (now, expected) = (Duration.zero, 0)
        for _ in 0..<60 {
            let wasClosing = machine.isClosing
            let action: WebSocketMachine.Action
            if Int.random(in: 0..<10, using: &random) == 0 {
                now += .milliseconds(Int.random(in: 0..<9_000, using: &random))
                action = machine.tick(at: now)
            } else {
                action = machine.receive(Self.randomFrame(&random), at: now)
            }
            if wasClosing { #expect(action == .perform(.none) || action == .perform(.disconnect(isDead: false))) }
            guard case .deliver(.audio(let frame)) = action else { continue }
            #expect(frame.position == expected)
            #expect(frame.samples.allSatisfy { (-1...1).contains($0) })
            expected += frame.samples.count
        }
    }

    /// A plausible message, damaged now and then.
    private static func randomFrame(_ random: inout SplitMix64) -> WebSocketFrame {
        let seeds = [
            #"{"type":"played","epoch":3,"samples":9600}"#, #"{"type":"text","text":"grüß dich 🎙"}"#,
            #"{"type":"ping","t":12.5}"#, #"{"type":"interrupt"}"#, "\u{1}\u{0}\u{3}\u{4}\u{5}\u{6}",
            #"{"type":"hello","version":1,"microphone":{"sample_rate":16000},"playout":{"sample_rate":8000}}"#,
        ]
        var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
        for _ in 0..<(Int.random(in: 0..<4, using: &random) / 2 * 3) {
            let index = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where index < bytes.count: bytes[index] = .random(in: .min ... .max, using: &random)
            case 1 where index < bytes.count: bytes.remove(at: index)
            case 2: bytes.insert(.random(in: .min ... .max, using: &random), at: index)
            default: bytes.append(contentsOf: bytes.prefix(index))
            }
        }
        let number = [1, 1, 1, 2, 2, 2, 0, 8, 9, 10, 3, 15].randomElement(using: &random) ?? 1
        return clientFrame(
            WebSocketOpcode(encodedWebSocketOpcode: UInt8(number)) ?? .text,
            bytes,
            fin: Int.random(in: 0..<8, using: &random) > 0,
            rsv1: Int.random(in: 0..<50, using: &random) == 0,
            isMasked: Int.random(in: 0..<50, using: &random) > 0
        )
    }

    static func text(_ json: String) -> WebSocketFrame { clientFrame(.text, Array(json.utf8)) }

    private static func conversing() -> WebSocketMachine {
        var machine = WebSocketMachine(limits: WebSocketLimits(), at: .zero)
        _ = machine.receive(hello, at: .zero)
        return machine
    }
}

extension WebSocketMachine.Action {
    /// Where delivered audio stands in its stream.
    fileprivate var position: Int? {
        if case .deliver(.audio(let frame)) = self { return frame.position }
        return nil
    }

    fileprivate var code: UInt16? {
        if case .perform(.close(let reason)) = self { return reason.code }
        return nil
    }
}
