internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore

@testable internal import VoiceServer

@Suite struct RecognitionMachineTests {
    @Test func `ready comes once the stream is open`() {
        var machine = RecognitionMachine(model: "m", standard: RecognitionOptions(lookahead: 1))
        #expect(machine.begin() == [.open(RecognitionOptions(lookahead: 1))])
        #expect(machine.opened() == [.say(.ready)])
    }

    @Test(arguments: [(VoiceError.Code.exhausted, 1013), (.unavailable, 1011), (.fault, 1011)])
    func `without a stream the connection is closed`(code: VoiceError.Code, close: Int) {
        var machine = RecognitionMachine(model: "m")
        _ = machine.begin()
        guard case .close(let reason)? = machine.openFailed(VoiceError(code, "no")).first else {
            return #expect(Bool(false), "no close")
        }
        #expect(reason.code == UInt16(close))
        #expect(reason.message == "no")
    }

    @Test func `audio becomes samples, and an odd byte waits for its other half`() {
        var machine = Self.ready()
        #expect(machine.receive(audio: ByteBuffer(bytes: [0, 0x40, 0])) == [.feed([0.5])])
        #expect(machine.receive(audio: ByteBuffer(bytes: [0x80, 0, 0xC0])) == [.feed([-1, -0.5])])
        #expect(machine.receive(audio: ByteBuffer()).isEmpty)
    }

    @Test func `half a sample does not survive a reset`() {
        var machine = Self.ready()
        #expect(machine.receive(audio: ByteBuffer(bytes: [7])).isEmpty)
        #expect(machine.receive(text: Self.text(#"{"type":"reset"}"#)) == [.finish(.lookahead)])
        #expect(machine.receive(audio: ByteBuffer(bytes: [0, 0x40])) == [.feed([0.5])])
    }

    @Test func `a long message is worked on in pieces`() {
        var machine = Self.ready()
        let actions = machine.receive(audio: ByteBuffer(repeating: 0, count: 2 * 20_000))
        let counts = actions.map { if case .feed(let samples) = $0 { samples.count } else { -1 } }
        #expect(counts == [8_000, 8_000, 4_000])
    }

    @Test(arguments: [
        (#"{"type":"reset"}"#, RecognitionFlush.lookahead), (#"{"type":"end"}"#, .lookahead),
        (#"{"type":"reset","finalize":true}"#, .lookahead), (#"{"type":"reset","finalize":false}"#, .none),
        (#"{"type":"end","finalize":false,"why":"extra fields are nobody's business"}"#, .none),
    ])
    func `resets finish the utterance`(text: String, flush: RecognitionFlush) {
        var machine = Self.ready()
        #expect(machine.receive(text: Self.text(text)) == [.finish(flush)])
    }

    @Test func `texts go on over a soft reset and begin anew after a hard one`() {
        var machine = Self.ready()
        let partial = { (text: String) in Transcript(text: text, isFinal: false) }
        #expect(machine.heard(partial("what")) == [Self.interim("what")])
        #expect(machine.heard(nil).isEmpty)
        _ = machine.receive(text: Self.text(#"{"type":"reset","finalize":false}"#))
        #expect(machine.finished(Transcript(text: "what is", isFinal: true)) == [Self.final("what is", .soft)])
        #expect(machine.heard(partial("four")) == [Self.interim("what is four")])
        _ = machine.receive(text: Self.text(#"{"type":"reset"}"#))
        #expect(machine.finished(Transcript(text: "", isFinal: true)) == [Self.final("what is", .hard)])
        #expect(machine.heard(partial("and")) == [Self.interim("and")])
        _ = machine.receive(text: Self.text(#"{"type":"reset"}"#))
        #expect(machine.finished(Transcript(text: "", isFinal: true)) == [Self.final("", .hard)])
    }

    @Test(arguments: [
        "", "garbage", "[]", "null", "{}", #"{"type":3}"#, #"{"type":"rset"}"#, #"{"type":"reset","finalize":"yes"}"#,
        #"{"type":"reset""#, "\u{0}", #"{"type":"config","lookahead":-1}"#, #"{"type":"config","sample_rate":96000}"#,
        #"{"type":"config","phrases":"one"}"#, #"{"type":"config","words":1}"#, #"{"type":"config","language":""}"#,
        #"{"type":"config","phrase_boost":1e99}"#, #"{"type":"config","lookahead":0.5}"#,
        "{\"type\":\"reset\",\"x\":\"\(String(repeating: "x", count: 300_000))\"}",
        String(repeating: "[", count: 5_000),
    ])
    func `a broken message is answered with an error, and the session goes on`(text: String) {
        var machine = Self.ready()
        let answer = machine.receive(text: Self.text(text))
        guard answer.count == 1, case .say(.error(.malformedInput, let message)) = answer[0] else {
            return #expect(Bool(false), "\(answer)")
        }
        #expect(!message.isEmpty)
        #expect(machine.receive(text: Self.text(#"{"type":"reset"}"#)) == [.finish(.lookahead)])
    }

    @Test func `bytes that are no UTF-8 are answered with an error`() {
        var machine = Self.ready()
        let answer = machine.receive(text: ByteBuffer(bytes: [0x7b, 0xff, 0xfe, 0x7d]))
        guard case .say(.error(.malformedInput, _))? = answer.first else { return #expect(Bool(false), "\(answer)") }
    }

    @Test func `an unknown key of config names the nearest one`() {
        var machine = Self.ready()
        let answer = machine.receive(text: Self.text(#"{"type":"config","sample_rat":8000}"#))
        #expect(answer == [.say(.error(.usage, "config has no key 'sample_rat'; did you mean 'sample_rate'?"))])
    }

    @Test func `config opens a stream as wished`() {
        var machine = Self.ready()
        let text =
            #"{"type":"config","lookahead":3,"language":"de-DE","endpoint_silence_ms":400,"phrases":["Ada"],"phrase_boost":2}"#
        let options = RecognitionOptions(
            lookahead: 3,
            language: "de-DE",
            phrases: ["Ada"],
            phraseBoost: 2,
            endpointSilence: .milliseconds(400)
        )
        #expect(machine.receive(text: Self.text(text)) == [.open(options)])
        #expect(machine.opened() == [.say(.configured(RecognitionSettings(options: options), model: "m"))])
    }

    @Test func `config that the recogniser refuses leaves all as it was`() {
        var machine = Self.ready()
        _ = machine.receive(text: Self.text(#"{"type":"config","lookahead":99,"sample_rate":8000}"#))
        let refusal = VoiceError(.usage, "no")
        #expect(machine.openFailed(refusal) == [.say(.error(.usage, "no")), .open(RecognitionOptions())])
        #expect(machine.opened().isEmpty)
        #expect(machine.receive(audio: ByteBuffer(bytes: [0, 0x40])) == [.feed([0.5])])
    }

    @Test func `config after audio or a reset is too late`() {
        for isAudio in [true, false] {
            var machine = Self.ready()
            _ =
                isAudio
                ? machine.receive(audio: ByteBuffer(bytes: [0, 0]))
                : machine.receive(text: Self.text(#"{"type":"reset"}"#))
            let answer = machine.receive(text: Self.text(#"{"type":"config","words":true}"#))
            guard case .say(.error(.usage, _))? = answer.first else { return #expect(Bool(false), "\(answer)") }
        }
    }

    @Test(arguments: [8_000, 11_025, 24_000, 44_100, 48_000])
    func `audio of another rate arrives complete at 16 kHz`(rate: Int) {
        var machine = Self.ready()
        let answer = machine.receive(text: Self.text(#"{"type":"config","sample_rate":\#(rate)}"#))
        #expect(answer.count == 1)
        var fed = 0
        for bytes in [1, 2, 2 * rate - 1, 40] {
            for action in machine.receive(audio: ByteBuffer(repeating: 1, count: bytes)) {
                if case .feed(let samples) = action { fed += samples.count }
            }
        }
        for action in machine.receive(text: Self.text(#"{"type":"reset"}"#)) {
            if case .feed(let samples) = action { fed += samples.count }
        }
        // One second and 21 samples.
        #expect(fed == ((rate + 21) * 16_000 + rate - 1) / rate)
    }

    @Test func `a failure of the recogniser closes this session with 1011`() {
        var machine = Self.ready()
        #expect(machine.failed(VoiceError(.fault, "broke")) == [.close(.failure(VoiceError(.fault, "broke")))])
    }

    @Test func `no bytes make it trap, and the audio of all messages is fed`() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<300 {
            var machine = Self.ready()
            var (bytes, fed) = (0, 0)
            for _ in 0..<40 {
                if Bool.random(using: &random) {
                    let audio = (0..<Int.random(in: 0..<50, using: &random)).map { _ in
                        UInt8.random(in: .min ... .max, using: &random)
                    }
                    bytes += audio.count
                    for action in machine.receive(audio: ByteBuffer(bytes: audio)) {
                        guard case .feed(let samples) = action else { return #expect(Bool(false), "\(action)") }
                        fed += samples.count
                        #expect(samples.allSatisfy { (-1...1).contains($0) })
                    }
                } else {
                    let answer = machine.receive(text: ByteBuffer(bytes: Self.damaged(&random)))
                    if answer == [.finish(.lookahead)] || answer == [.finish(.none)] { bytes -= bytes % 2 }
                    if case .open? = answer.first { _ = machine.opened() }
                    if machine.settings.rate != .speech { return }
                }
            }
            #expect(fed == bytes / 2)
        }
    }

    private static func damaged(_ random: inout SplitMix64) -> [UInt8] {
        let seeds = [
            #"{"type":"reset","finalize":false}"#, #"{"type":"end"}"#,
            #"{"type":"config","words":true,"phrases":["grüß dich","🎙"],"lookahead":6}"#,
        ]
        var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
        for _ in 0..<Int.random(in: 0..<4, using: &random) {
            bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: .min ... .max, using: &random)
        }
        return bytes
    }

    static func ready() -> RecognitionMachine {
        var machine = RecognitionMachine(model: "m")
        _ = machine.begin()
        _ = machine.opened()
        return machine
    }

    static func text(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private static func interim(_ text: String) -> RecognitionMachine.Action {
        .say(.transcript(.init(text: text, finality: .interim)))
    }

    private static func final(
        _ text: String,
        _ finality: RecognitionProtocol.TranscriptMessage.Finality
    ) -> RecognitionMachine.Action { .say(.transcript(.init(text: text, finality: finality))) }
}
