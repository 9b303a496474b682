internal import NIOCore
internal import Testing
internal import Transports
internal import VoiceCore
internal import VoiceTesting

@testable internal import VoiceServer

@Suite struct SynthesisMachineTests {
    typealias Action = SynthesisMachine.Action

    @Test func `a stream begins, has segments and ends in the order of its messages`() throws {
        var machine = try Self.machine()
        #expect(try Self.types(machine.receive(Self.initial, at: .zero)) == ["stream_created"])
        #expect(machine.receive(Self.text("One."), at: .zero).isEmpty)
        #expect(machine.receive(Self.text("Two."), at: .zero).isEmpty)
        #expect(machine.receive(Self.close, at: .zero).isEmpty)
        let firstOrNil = machine.next()
        let first = try #require(firstOrNil)
        #expect(first.text == "One.")
        #expect(machine.next() == nil)
        let soundOrNil = machine.made(SpeechChunk(samples: Self.samples(800)), of: first)
        let sound = try #require(soundOrNil)
        #expect(sound.samples.count == 800)
        #expect(machine.tail(of: first) == [])
        #expect(
            machine.ended(first) == [
                .sayBehind(.segmentComplete(number: 1, audio: 50, text: nil, context: nil), epoch: 1)
            ]
        )
        let secondOrNil = machine.next()
        let second = try #require(secondOrNil)
        #expect(second.text == "Two.")
        #expect(
            machine.ended(second) == [
                .sayBehind(.segmentComplete(number: 2, audio: 0, text: nil, context: nil), epoch: 1),
                .sayBehind(.done(audio: 50, segments: 2, context: nil), epoch: 1),
            ]
        )
    }

    @Test func `text without init begins a stream, blank text is not spoken`() throws {
        var machine = try Self.machine()
        #expect(try Self.types(machine.receive(Self.text("  "), at: .zero)) == ["stream_created"])
        #expect(machine.next() == nil)
        _ = machine.receive(Self.text("Hi."), at: .zero)
        #expect(machine.next()?.text == "Hi.")
    }

    // The reference's server kills what is still being spoken then.
    @Test func `text after a close waits for the closed stream's end`() throws {
        var machine = try Self.machine()
        for message in [Self.initial, Self.text("One."), Self.close] { _ = machine.receive(message, at: .zero) }
        let firstOrNil = machine.next()
        let first = try #require(firstOrNil)
        #expect(machine.receive(Self.text("Two."), at: .zero).isEmpty)
        #expect(try Self.types(machine.ended(first)) == ["segment_complete", "done", "stream_created"])
        #expect(machine.next()?.text == "Two.")
    }

    @Test func `cancel stops everything, and says nothing to a client that did not ask`() throws {
        var machine = try Self.machine()
        for message in [Self.initial, Self.text("One."), Self.text("Two.")] { _ = machine.receive(message, at: .zero) }
        let firstOrNil = machine.next()
        let first = try #require(firstOrNil)
        #expect(machine.receive(Self.cancel, at: .zero) == [.stop, .forget(epoch: 1, allBefore: true)])
        #expect(machine.forgot(.seconds(1)).isEmpty)
        let isSpeaking = machine.isSpeaking(first)
        #expect(!isSpeaking)
        #expect(machine.made(SpeechChunk(samples: [0]), of: first) == nil)
        #expect(machine.tail(of: first) == nil)
        #expect(machine.ended(first).isEmpty)
        #expect(machine.next() == nil)
        #expect(try Self.types(machine.receive(Self.text("Three."), at: .zero)) == ["stream_created"])
        #expect(machine.next()?.text == "Three.")
    }

    @Test func `an acknowledged cancel says what was heard`() throws {
        var machine = try Self.machine()
        _ = machine.receive(Self.message(#"{"type":"init","context_id":"a"}"#), at: .zero)
        _ = machine.receive(Self.text("one two three four"), at: .zero)
        let pieceOrNil = machine.next()
        let piece = try #require(pieceOrNil)
        let words = [3, 7, 13].map { SpokenWord(textEnd: $0, sampleEnd: $0 * 160) }
        _ = machine.made(SpeechChunk(samples: Self.samples(20 * 160), words: words), of: piece)
        machine.sent(16 * 160, of: piece)
        _ = machine.receive(Self.cancel, at: .zero)
        // 200 ms were made, 160 handed on, of which 80 were still here.
        #expect(
            machine.forgot(.milliseconds(80)) == [
                .say(.cancelled(.init(id: "s1", context: "a", audio: 80, text: "one two")))
            ]
        )
        #expect(machine.receive(Self.cancel, at: .zero) == [.say(.cancelled(.init()))])
    }

    @Test func `a client that says how much it has played hears of that much`() throws {
        var machine = try Self.machine()
        _ = machine.receive(Self.message(#"{"type":"init","acknowledge":true}"#), at: .zero)
        _ = machine.receive(Self.text("one two"), at: .zero)
        let pieceOrNil = machine.next()
        let piece = try #require(pieceOrNil)
        let words = [3, 7].map { SpokenWord(textEnd: $0, sampleEnd: $0 * 160) }
        _ = machine.made(SpeechChunk(samples: Self.samples(7 * 160), words: words), of: piece)
        machine.sent(7 * 160, of: piece)
        _ = machine.receive(Self.message(#"{"type":"cancel","played_ms":45.5}"#), at: .zero)
        #expect(machine.forgot(.zero) == [.say(.cancelled(.init(id: "s1", audio: 45.5, text: "one")))])
    }

    @Test func `contexts are streams one after the other, each can be cancelled alone`() throws {
        var machine = try Self.machine()
        _ = machine.receive(Self.message(#"{"type":"init","acknowledge":true}"#), at: .zero)
        for context in ["a", "b", "c"] {
            let message = #"{"type":"text","text":"Text \#(context).","context_id":"\#(context)"}"#
            _ = machine.receive(Self.message(message), at: .zero)
        }
        let firstOrNil = machine.next()
        let first = try #require(firstOrNil)
        #expect(first.text == "Text a.")
        #expect(
            machine.receive(Self.message(#"{"type":"cancel","context_id":"b"}"#), at: .zero)
                == [.say(.cancelled(.init(id: "s3", context: "b")))]
        )
        let actions = machine.receive(Self.message(#"{"type":"cancel","context_id":"a"}"#), at: .zero)
        #expect(actions == [.stop, .forget(epoch: 2, allBefore: false)])
        #expect(try Self.types(machine.forgot(.zero)) == ["cancelled", "stream_created"])
        #expect(machine.next()?.text == "Text c.")
    }

    @Test func `tokens are put together to clauses, and flush speaks what waits`() throws {
        var machine = try Self.machine()
        _ = machine.receive(Self.message(#"{"type":"init","tokens":true}"#), at: .zero)
        for token in ["Hel", "lo", " there", ",", " my", " friend", ".", " And", " then"] {
            _ = machine.receive(Self.text(token), at: .zero)
        }
        let firstOrNil = machine.next()
        let first = try #require(firstOrNil)
        #expect(first.text == "Hello there, my friend.")
        guard case .sayBehind(.segmentComplete(1, _, let text, _), _)? = machine.ended(first).first else {
            return #expect(Bool(false), "no segment_complete")
        }
        #expect(text == "Hello there, my friend.")
        #expect(machine.next() == nil)
        _ = machine.receive(Self.message(#"{"type":"flush"}"#), at: .zero)
        #expect(machine.next()?.text == " And then")
    }

    @Test func `words are told with their places in the stream`() throws {
        var machine = try Self.machine()
        _ = machine.receive(Self.message(#"{"type":"init","words":true,"sample_rate":8000}"#), at: .zero)
        _ = machine.receive(Self.text("One. "), at: .zero)
        _ = machine.receive(Self.text("Two."), at: .zero)
        for (text, end, milliseconds) in [("One.", 4, 40.0), ("Two.", 9, 80.0)] {
            let pieceOrNil = machine.next()
            let piece = try #require(pieceOrNil)
            let chunk = SpeechChunk(samples: Self.samples(640), words: [SpokenWord(textEnd: 4, sampleEnd: 640)])
            let soundOrNil = machine.made(chunk, of: piece)
            let sound = try #require(soundOrNil)
            #expect(sound.before == .words([.init(text: text, textEnd: end, end: milliseconds)], context: nil))
            let tailOrNil = machine.tail(of: piece)
            let tail = try #require(tailOrNil)
            #expect(sound.samples.count + tail.count == 320)
            _ = machine.ended(piece)
        }
    }

    @Test func `a failure is fatal to its stream alone`() throws {
        var machine = try Self.machine()
        for message in [Self.initial, Self.text("One."), Self.text("Two.")] { _ = machine.receive(message, at: .zero) }
        let pieceOrNil = machine.next()
        let piece = try #require(pieceOrNil)
        let error = VoiceError(.fault, "hoarse")
        #expect(machine.failed(piece, error) == [.sayBehind(.error(.fault, "hoarse", isFatal: true), epoch: 1)])
        #expect(machine.next() == nil)
        #expect(try Self.types(machine.receive(Self.text("Three."), at: .zero)) == ["stream_created"])
        #expect(machine.next()?.text == "Three.")
    }

    @Test(arguments: ["aria", "nobody"])
    func `a voice that is not there is told once, and the standard voice speaks`(name: String) throws {
        var machine = try Self.machine()
        let initial = Self.message(#"{"type":"init","voice":"\#(name)"}"#)
        let actions = machine.receive(initial, at: .zero)
        #expect(try Self.types(actions) == ["stream_created", "error"])
        guard case .say(.error(.usage, let message, isFatal: false))? = actions.last else {
            return #expect(Bool(false), "no error")
        }
        #expect(message == "there is no voice '\(name)', only one, two; one speaks")
        #expect(machine.receive(initial, at: .zero) == [.forget(epoch: 1, allBefore: true)])
        #expect(try Self.types(machine.forgot(.zero)) == ["stream_created"])
    }

    @Test func `an alias is a voice`() throws {
        var machine = try Self.machine(aliases: ["Aria": "two"])
        let actions = machine.receive(Self.message(#"{"type":"init","voice":"ARIA","language":"de-AT"}"#), at: .zero)
        guard actions.count == 1, case .say(.created(let stream))? = actions.first else {
            return #expect(Bool(false), "\(actions)")
        }
        #expect(stream.voice == "two")
        #expect(stream.rate == .wideband)
    }

    @Test(arguments: [
        #"{"type":"init","sample_rate":44.1}"#, #"{"type":"init","sample_rate":96000}"#, #"{"type":"init","voice":7}"#,
        #"{"type":"init","sentence_pause_ms":-1}"#, #"{"type":"text"}"#, #"{"type":"text","text":1}"#, #"{"type":7}"#,
        #"{"type":"initt"}"#, #"["text"]"#, "garbage", "", #"{"type":"cancel","played_ms":"all"}"#,
    ])
    func `a message that is wrong is answered with an error and changes nothing`(text: String) throws {
        var machine = try Self.machine()
        _ = machine.receive(Self.text("One."), at: .zero)
        let actions = machine.receive(Self.message(text), at: .zero)
        guard actions.count == 1, case .say(.error(.malformedInput, _, isFatal: false))? = actions.first else {
            return #expect(Bool(false), "no error")
        }
        #expect(machine.next()?.text == "One.")
    }

    @Test func `too much text is refused, and what was taken is spoken`() throws {
        var limits = SynthesisMachine.Limits()
        limits.text = 100
        limits.waiting = 150
        limits.stream = 300
        limits.waitingCount = 4
        var machine = try Self.machine(limits: limits)
        let long = String(repeating: "a", count: 100)
        #expect(try Self.types(machine.receive(Self.text(long + "a"), at: .zero)) == ["error"])
        #expect(try Self.types(machine.receive(Self.text(long), at: .zero)) == ["stream_created"])
        _ = machine.next()
        #expect(machine.receive(Self.text(long), at: .zero).isEmpty)
        #expect(try Self.types(machine.receive(Self.text(long), at: .zero)) == ["error"])
        for _ in 0..<3 { #expect(machine.receive(Self.text("b"), at: .zero).isEmpty) }
        #expect(try Self.types(machine.receive(Self.text("b"), at: .zero)) == ["error"])
        var machineOfOneStream = try Self.machine(limits: limits)
        var refused = 0
        for _ in 0..<4 {
            refused += try Self.types(machineOfOneStream.receive(Self.text(long), at: .zero)).count { $0 == "error" }
            if let piece = machineOfOneStream.next() { _ = machineOfOneStream.ended(piece) }
        }
        #expect(refused == 1)
    }

    // MARK: - Values

    static let initial = message(#"{"type":"init"}"#)
    static let close = message(#"{"type":"close"}"#)
    static let cancel = message(#"{"type":"cancel"}"#)

    static func message(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    static func text(_ text: String) -> ByteBuffer {
        message((["type": "text", "text": .string(text)] as JSONValue).json)
    }

    static func samples(_ count: Int) -> [Float] { [Float](repeating: 0.5, count: count) }

    static func machine(
        aliases: [String: String] = [:],
        limits: SynthesisMachine.Limits = .init()
    ) throws -> SynthesisMachine {
        let numbers = Numbers()
        return SynthesisMachine(
            voices: try SynthesisTestServer.voices(CountingSynthesizer(), aliases: aliases),
            rate: nil,
            limits: limits,
            makeID: { "s\(numbers.next())" }
        )
    }

    /// The types of the messages that actions send.
    static func types(_ actions: [Action]) throws -> [String] {
        try actions.compactMap { action in
            switch action {
            case .say(let message), .sayBehind(let message, _):
                let json = String(buffer: SynthesisProtocol.encode(message))
                return try #require(JSONValue(json: json)?["type"]?.text)
            case .stop, .forget: return nil
            }
        }
    }
}
