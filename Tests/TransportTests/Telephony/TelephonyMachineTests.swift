internal import NIOCore
internal import NIOWebSocket
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct TelephonyMachineTests {
    private static let start = #"{"event":"start","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1"}}"#

    private static func receive(
        _ json: String,
        _ machine: inout TelephonyMachine,
        at now: Duration = .zero
    ) -> [TelephonyMachine.Step] {
        machine.receive(.text(ByteBuffer(string: json)), at: now)
    }

    private static func started() -> TelephonyMachine {
        var machine = TelephonyMachine(limits: WebSocketLimits(), at: .zero)
        _ = receive(start, &machine)
        return machine
    }

    private static func frame(_ index: Int, epoch: Int = 1) -> TransportMessage {
        let samples = [Float](repeating: 0.5, count: 160)
        return .audio(
            PlayoutFrame(epoch: epoch, audio: AudioFrame(samples: samples, rate: .telephone, position: index * 160))
        )
    }

    private static func events(_ steps: [TelephonyMachine.Step]) -> [TransportEvent] {
        steps.compactMap { if case .deliver(let event) = $0 { event } else { nil } }
    }

    private static func messages(_ steps: [TelephonyMachine.Step]) -> [JSONValue] {
        steps.compactMap {
            guard case .send(let item) = $0 else { return nil }
            return JSONValue(json: String(buffer: item.payload))
        }
    }

    private static func code(_ steps: [TelephonyMachine.Step]) -> UInt16? {
        steps.compactMap { if case .close(let reason) = $0 { reason.code } else { nil } }.first
    }

    @Test func `a call begins with start and ends with stop`() {
        var machine = TelephonyMachine(limits: WebSocketLimits(), at: .zero)
        #expect(Self.receive(#"{"event":"connected","protocol":"Call"}"#, &machine).isEmpty)
        guard case .greet(let call)? = Self.receive(Self.start, &machine).first else {
            Issue.record("no greeting")
            return
        }
        #expect(call.call == "CA1")
        #expect(Self.code(Self.receive(#"{"event":"stop"}"#, &machine)) == 1000)
        #expect(Self.code(Self.receive(Self.start, &machine)) == 1002)
    }

    @Test func `a line on which nothing starts is closed after ten seconds`() {
        var machine = TelephonyMachine(limits: WebSocketLimits(), at: .zero)
        #expect(machine.tick(at: .milliseconds(9_999)).isEmpty)
        #expect(Self.code(machine.tick(at: .seconds(10))) == 1002)
        var started = Self.started()
        #expect(started.tick(at: .seconds(60)).isEmpty)
    }

    @Test func `sound is decoded at eight kilohertz`() {
        var machine = Self.started()
        let steps = Self.receive(#"{"event":"media","media":{"track":"inbound","payload":"gAD/"}}"#, &machine)
        guard case .hear(let samples, let rate)? = steps.first else {
            Issue.record("\(steps)")
            return
        }
        #expect(samples == [32_124 / 32_768, -32_124 / 32_768, 0] && rate == .telephone)
    }

    @Test func `a mark follows the first frame and then every hundred milliseconds`() {
        var machine = Self.started()
        var kinds: [[String]] = []
        for index in 0..<7 {
            kinds.append(Self.messages(machine.send(Self.frame(index), at: .zero)).compactMap { $0["event"]?.text })
        }
        let plain = ["media"]
        #expect(kinds == [["media", "mark"], plain, plain, plain, plain, ["media", "mark"], plain])
    }

    @Test func `a mark that comes back says what was played`() {
        var machine = Self.started()
        for index in 0..<11 { _ = machine.send(Self.frame(index, epoch: 4), at: .zero) }
        func mark(_ name: String) -> [TransportEvent] {
            Self.events(Self.receive(#"{"event":"mark","mark":{"name":"\#(name)"}}"#, &machine))
        }
        #expect(mark("1") == [.played(epoch: 4, samples: 160)])
        #expect(mark("3") == [.played(epoch: 4, samples: 1_760)])
        // One that was passed over, one that came twice, one that is none of ours.
        for name in ["2", "3", "9", "-1", "x", "99999999999999999999"] { #expect(mark(name).isEmpty) }
    }

    @Test(arguments: [TransportMessage.cut(epoch: 1), .pause(epoch: 1)])
    func `a cut or a pause clears, and marks of cleared sound mean nothing`(message: TransportMessage) {
        var machine = Self.started()
        for index in 0..<6 { _ = machine.send(Self.frame(index), at: .zero) }
        let steps = machine.send(message, at: .zero)
        #expect(Self.messages(steps) == [["event": "clear", "streamSid": "MZ1"]])
        for name in ["1", "2"] {
            #expect(Self.events(Self.receive(#"{"event":"mark","mark":{"name":"\#(name)"}}"#, &machine)).isEmpty)
        }
        // It goes on a little before, and says so at once.
        let next = Self.messages(machine.send(Self.frame(3), at: .zero))
        #expect(next.last?["mark"]?["name"] == "3")
        let played = Self.events(Self.receive(#"{"event":"mark","mark":{"name":"3"}}"#, &machine))
        #expect(played == [.played(epoch: 1, samples: 640)])
    }

    @Test func `keys become a typed message`() {
        var machine = Self.started()
        func press(_ key: String) -> [TransportEvent] {
            Self.events(Self.receive(#"{"event":"dtmf","dtmf":{"digit":"\#(key)"}}"#, &machine))
        }
        #expect(press("4") == [.interrupt])
        #expect(press("2") == [])
        #expect(press("#") == [.text("DTMF: 42#")])
    }

    @Test func `marks that never come back are forgotten, not kept`() {
        var marks = PlayoutMarks()
        for index in 0..<3_000 {
            let audio = AudioFrame(samples: [0], rate: .telephone, position: index * 800)
            #expect(marks.mark(after: PlayoutFrame(epoch: 1, audio: audio)) == "\(index + 1)")
        }
        #expect(marks.played("1") == nil)
        #expect(marks.played("1976") == nil)
        #expect(marks.played("1977") == .played(epoch: 1, samples: 1_976 * 800 + 1))
    }

    @Test func `what is no text of a stream closes the line`() {
        var machine = Self.started()
        #expect(Self.code(machine.receive(.binary(ByteBuffer(bytes: [1, 2])), at: .zero)) == 1003)
        #expect(Self.code(machine.receive(.text(ByteBuffer(bytes: [0xff])), at: .zero)) == 1007)
        #expect(Self.code(Self.receive("no json", &machine)) == 1007)
        let other = Self.start.replacing(
            #""callSid":"CA1""#,
            with: #""callSid":"CA1","mediaFormat":{"encoding":"OPUS"}"#
        )
        var fresh = TelephonyMachine(limits: WebSocketLimits(), at: .zero)
        #expect(Self.code(Self.receive(other, &fresh)) == 1003)
    }
}
