internal import Foundation
internal import NIOCore
internal import NIOWebSocket
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Transports

@Suite struct PipecatMachineTests {
    /// A machine, and what its steps were.
    private struct Client: ~Copyable {
        var machine = PipecatMachine(
            rate: SampleRate(24_000),
            about: RTVIAbout(library: "repartee", version: "1.2.3"),
            models: ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s"),
            date: { Date(timeIntervalSince1970: 0) },
            at: .zero
        )

        mutating func send(_ frame: PipecatFrame, at now: Duration = .zero) -> [PipecatMachine.Step] {
            machine.receive(.binary(frame.bytes(id: 1)), at: now)
        }

        mutating func ready(_ version: String) -> [PipecatMachine.Step] {
            send(.message(#"{"label":"rtvi-ai","type":"client-ready","id":"c","data":{"version":"\#(version)"}}"#))
        }
    }

    private static let sound = PlayoutFrame(
        epoch: 3,
        audio: AudioFrame(samples: [0, 0.5], rate: SampleRate(24_000), position: 0)
    )

    private static func isGreeting(_ steps: [PipecatMachine.Step]) -> Bool {
        steps.contains { if case .greet = $0 { true } else { false } }
    }

    private static func frames(_ steps: [PipecatMachine.Step]) throws -> [PipecatFrame] {
        try steps.compactMap { if case .send(let item) = $0 { try PipecatFrame(reading: item.payload) } else { nil } }
    }

    private static func close(_ steps: [PipecatMachine.Step]) -> UInt16? {
        steps.compactMap { if case .close(let reason) = $0 { reason.code } else { nil } }.first
    }

    @Test func `a conversation begins with client-ready, the first sound, or a second of silence`() {
        var first = Client()
        #expect(Self.isGreeting(first.ready("2.1.0")))
        #expect(!Self.isGreeting(first.ready("2.1.0")))
        var second = Client()
        #expect(Self.isGreeting(second.send(.audio([0], .speech))))
        var third = Client()
        #expect(!Self.isGreeting(third.machine.tick(at: .milliseconds(999))))
        #expect(Self.isGreeting(third.machine.tick(at: .seconds(1))))
        #expect(!Self.isGreeting(third.machine.tick(at: .seconds(2))))
    }

    @Test func `the handshake goes through frames`() throws {
        var client = Client()
        #expect(try Self.frames(client.ready("2.1.0")).isEmpty)
        let frames = try Self.frames(client.machine.begin())
        guard case .message(let json)? = frames.first, let message = JSONValue(json: json) else {
            Issue.record("\(frames)")
            return
        }
        #expect(message["type"] == "bot-ready" && message["id"] == "c")
    }

    @Test func `sound goes both ways at the rate that a frame says`() throws {
        var client = Client()
        let heard = client.send(.audio([0.25, -0.5], SampleRate(48_000)))
        guard case .hear(let samples, let rate)? = heard.last else {
            Issue.record("\(heard)")
            return
        }
        #expect(samples == [0.25, -0.5] && rate == .wideband)
        let steps = client.machine.send(.audio(Self.sound), at: .zero)
        #expect(try Self.frames(steps) == [.audio([0, 0.5], SampleRate(24_000))])
        guard case .send(let item)? = steps.first else { return }
        #expect(item.opcode == .binary && item.audio?.epoch == 3)
    }

    @Test(arguments: [("2.2.0", true), ("2.3.1", true), ("2.1.0", false), ("1.4.0", false)])
    func `an interruption is told in a frame to clients that know it`(version: String, isTold: Bool) throws {
        var client = Client()
        _ = client.ready(version)
        _ = client.machine.begin()
        let steps = client.machine.send(.cut(epoch: 3), at: .zero)
        guard case .cut(epoch: 3)? = steps.first else {
            Issue.record("\(steps)")
            return
        }
        let frames = try Self.frames(steps)
        #expect(frames.contains(.interruption) == isTold)
        #expect(frames.contains { if case .message(let json) = $0 { json.contains("bot-interrupted") } else { false } })
    }

    @Test func `a client that interrupts by a frame knows the frame`() throws {
        var client = Client()
        let steps = client.send(.interruption)
        guard case .deliver(.interrupt)? = steps.last else {
            Issue.record("\(steps)")
            return
        }
        #expect(try Self.frames(client.machine.send(.cut(epoch: 1), at: .zero)) == [.interruption])
    }

    @Test func `disconnect-bot ends the session, other forms of messages close it`() {
        var client = Client()
        #expect(Self.close(client.send(.message(#"{"label":"rtvi-ai","type":"disconnect-bot","id":"c"}"#))) == 1000)
        #expect(Self.close(client.machine.receive(.text(ByteBuffer(string: "hi")), at: .zero)) == 1003)
        #expect(Self.close(client.machine.receive(.binary(ByteBuffer(string: "hello there")), at: .zero)) == 1003)
    }

    @Test func `a question of the application that nobody answers is refused`() throws {
        var client = Client()
        let steps = client.send(.message(#"{"label":"rtvi-ai","type":"client-message","id":"m","data":{"t":"x"}}"#))
        guard case .message(let json)? = try Self.frames(steps).first else {
            Issue.record("\(steps)")
            return
        }
        #expect(JSONValue(json: json)?["type"] == "error-response")
    }

    @Test func `no message makes the machine fail or say more than it was asked`() throws {
        let golden = try PipecatGolden()
        var seeds = try golden.names("frames").map { try golden.frame($0) }
        seeds += try golden.names("client").map { name in
            Array(PipecatFrame.message(try golden.value("client", name).json).bytes(id: 1).readableBytesView)
        }
        var random = SplitMix64(seed: 17)
        var client = Client()
        _ = client.machine.begin()
        for turn in 0..<20_000 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
            for _ in 0..<Int.random(in: 0...4, using: &random) { damage(&bytes, &random) }
            let steps = client.machine.receive(.binary(ByteBuffer(bytes: bytes)), at: .milliseconds(turn))
            #expect(steps.count < 200)
            if turn.isMultiple(of: 50) { _ = client.machine.tick(at: .milliseconds(turn)) }
        }
    }
}
