internal import Testing
internal import VoiceCore
internal import WebSocketClient

@testable internal import SpeechSynthesis

@Suite struct RemoteSpeechMachineTests {
    typealias Action = RemoteSpeechMachine.Action

    @Test func `a line is ready when the server has a stream and finds nothing wrong`() {
        var machine = Self.machine()
        #expect(machine.handle(.prepare, at: .zero) == [.connect])
        #expect(machine.deadline == .seconds(5))
        #expect(
            machine.handle(.link(.opened), at: .zero) == [
                .say(#"{"sample_rate":"voice","type":"init","voice":"slt","words":true}"#)
            ]
        )
        #expect(machine.handle(Self.created(16_000), at: .zero) == [.say(RemoteSpeechMessage.ping)])
        #expect(machine.handle(Self.pong, at: .zero) == [.ready(.speech)])
        #expect(machine.deadline == nil)
    }

    @Test func `a server that tells no rate has the reference's`() {
        var machine = Self.machine()
        _ = machine.handle(.prepare, at: .zero)
        _ = machine.handle(.link(.opened), at: .zero)
        _ = machine.handle(Self.message(#"{"type": "stream_created", "stream_id": "x"}"#), at: .zero)
        #expect(machine.handle(Self.pong, at: .zero) == [.ready(SampleRate(22_050))])
    }

    @Test func `a voice that the server does not have is bad usage`() {
        var machine = Self.machine()
        _ = machine.handle(.prepare, at: .zero)
        _ = machine.handle(.link(.opened), at: .zero)
        _ = machine.handle(Self.created(16_000), at: .zero)
        let complaint = #"{"type":"error","message":"there is no voice 'slt', only aria","fatal":false}"#
        #expect(machine.handle(Self.message(complaint), at: .zero).isEmpty)
        let error = Self.failure(machine.handle(Self.pong, at: .zero))
        #expect(error?.code == .usage)
        #expect(error?.message == "the speech server there reports: there is no voice 'slt', only aria")
    }

    @Test func `a text is a stream of its own`() {
        var machine = Self.ready()
        #expect(
            machine.handle(.speak("Hi \"you\"."), at: .zero) == [
                .say(#"{"mode":"stream","preset":"conservative","text":"Hi \"you\".","type":"text"}"#),
                .say(RemoteSpeechMessage.close),
            ]
        )
        #expect(machine.handle(Self.created(16_000), at: .zero).isEmpty)
        let words = #"{"type":"timestamps","words":[{"word":"Hi","text_end":2,"end_ms":100.5}]}"#
        #expect(machine.handle(Self.message(words), at: .zero) == [.words([.init(textEnd: 2, end: 100.5)])])
        #expect(machine.handle(.link(.binary([0, 0x40, 0])), at: .zero) == [.sound([0.5])])
        #expect(machine.handle(.link(.binary([0x80, 0, 0x40])), at: .zero) == [.sound([-1, 0.5])])
        #expect(machine.handle(Self.message(#"{"type":"segment_complete","segment":1}"#), at: .zero).isEmpty)
        #expect(machine.handle(Self.done, at: .zero) == [.finished])
        #expect(machine.deadline == nil)
    }

    @Test func `what comes after a text was given up is not the next one's`() {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        _ = machine.handle(.link(.binary([0, 0x40])), at: .zero)
        #expect(
            machine.handle(.abandon, at: .zero) == [.say(RemoteSpeechMessage.cancel), .say(RemoteSpeechMessage.ping)]
        )
        #expect(machine.handle(.speak("Two."), at: .zero).isEmpty)
        // The cancelled text's stream may have begun late.
        #expect(machine.handle(Self.created(16_000), at: .zero).isEmpty)
        #expect(machine.handle(.link(.binary([0, 0x40])), at: .zero).isEmpty)
        #expect(machine.handle(Self.done, at: .zero).isEmpty)
        #expect(machine.handle(Self.pong, at: .zero).count == 2)
        #expect(machine.handle(.link(.binary([0, 0x40])), at: .zero) == [.sound([0.5])])
    }

    @Test func `a text whose connection was lost before its first sound is sent again, once`() {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        #expect(machine.handle(.link(.closed(why: "gone")), at: .zero) == [.connect])
        #expect(machine.handle(.link(.opened), at: .zero) == [.say(Self.initial)])
        #expect(machine.handle(Self.created(24_000), at: .zero).count == 2)
        #expect(machine.rate == SampleRate(24_000))
        let error = Self.failure(machine.handle(.link(.closed(why: "gone again")), at: .zero))
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("was lost: gone again") == true)
    }

    @Test func `a text whose connection was lost in its middle fails, the next one connects anew`() {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        _ = machine.handle(.link(.binary([0, 0x40])), at: .zero)
        #expect(Self.failure(machine.handle(.link(.closed(why: "gone")), at: .zero))?.code == .unavailable)
        #expect(machine.handle(.speak("Two."), at: .zero) == [.connect])
    }

    @Test func `a connection that ended while nobody spoke is made anew for the next text`() {
        var machine = Self.ready()
        #expect(machine.handle(.link(.closed(why: "1001")), at: .zero).isEmpty)
        #expect(machine.handle(.speak("One."), at: .zero) == [.connect])
        let error = Self.failure(machine.handle(.link(.closed(why: "connection refused")), at: .zero))
        #expect(error?.message.contains("cannot be reached: connection refused") == true)
    }

    @Test func `silence has a bound`() {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        _ = machine.handle(.link(.binary([0, 0x40])), at: .seconds(9))
        #expect(machine.deadline == .seconds(19))
        #expect(machine.handle(.time, at: .seconds(18)).isEmpty)
        let actions = machine.handle(.time, at: .seconds(19))
        #expect(actions.first == .disconnect)
        #expect(Self.failure(actions)?.code == .unavailable)
    }

    @Test func `a server that is not ready in time is unavailable`() {
        var machine = Self.machine()
        _ = machine.handle(.prepare, at: .zero)
        _ = machine.handle(.link(.opened), at: .seconds(4))
        #expect(Self.failure(machine.handle(.time, at: .seconds(5)))?.message.contains("not ready within") == true)
    }

    @Test func `a failure of the server fails the text`() {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        let actions = machine.handle(Self.message(#"{"type":"error","message":"no GPU","fatal":true}"#), at: .zero)
        #expect(actions.first == .disconnect)
        #expect(Self.failure(actions)?.message == "the speech server there reports: no GPU")
    }

    @Test(arguments: [
        "<html>", "[]", #"{"kind":1}"#, #"{"type":"stream_created","sample_rate":7}"#, #"{"type":"timestamps"}"#,
    ])
    func `what is not of the protocol says so`(text: String) {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        let actions = machine.handle(Self.message(text), at: .zero)
        #expect(actions.first == .disconnect)
        #expect(Self.failure(actions)?.code == .malformedInput)
    }

    @Test func `messages of later versions are passed over`() {
        var machine = Self.ready()
        _ = machine.handle(.speak("One."), at: .zero)
        #expect(machine.handle(Self.message(#"{"type":"visemes","shapes":[1]}"#), at: .zero).isEmpty)
        #expect(machine.handle(Self.done, at: .zero) == [.finished])
    }

    // MARK: - Values

    static let initial = #"{"sample_rate":"voice","type":"init","voice":"slt","words":true}"#
    static let pong = message(#"{"type":"pong"}"#)
    static let done = message(#"{"type":"done","total_audio_ms":1}"#)

    static func message(_ text: String) -> RemoteSpeechMachine.Event { .link(.message(text)) }

    static func created(_ hertz: Int) -> RemoteSpeechMachine.Event {
        message(#"{"type":"stream_created","stream_id":"x","sample_rate":\#(hertz)}"#)
    }

    static func machine() -> RemoteSpeechMachine {
        RemoteSpeechMachine(place: "there", voice: "slt", language: nil, limits: RemoteSpeechLimits())
    }

    static func ready() -> RemoteSpeechMachine {
        var machine = machine()
        _ = machine.handle(.prepare, at: .zero)
        _ = machine.handle(.link(.opened), at: .zero)
        _ = machine.handle(created(16_000), at: .zero)
        _ = machine.handle(pong, at: .zero)
        return machine
    }

    static func failure(_ actions: [Action]) -> VoiceError? {
        for case .failed(let code, let message) in actions { return VoiceError(code, message) }
        return nil
    }
}
