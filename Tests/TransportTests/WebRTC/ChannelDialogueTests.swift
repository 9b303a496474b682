internal import Testing
internal import VoiceCore
internal import WebRTC

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

@testable internal import Transports

@Suite struct ChannelDialogueTests {
    private static let hello =
        #"{"type":"hello","version":1,"microphone":{"sample_rate":48000},"playout":{"sample_rate":48000}}"#
    private static let models = ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s")
    private static let ready = BrowserProtocol.ServerMessage.ready(
        Welcome(session: "s1", models: models),
        playout: SampleRate(24_000)
    )

    private static func dialogue() -> ChannelDialogue {
        ChannelDialogue(
            about: RTVIAbout(library: "repartee", version: "1.0.0"),
            models: models,
            helloTimeout: .seconds(10)
        )
    }

    /// A page that has greeted and knows that the conversation has begun.
    private static func conversing() -> ChannelDialogue {
        var dialogue = page()
        _ = receive(&dialogue, hello)
        _ = dialogue.begin(ready)
        return dialogue
    }

    private static func page() -> ChannelDialogue {
        var dialogue = dialogue()
        dialogue.open(DataChannelParameters(label: "repartee"), at: .zero)
        return dialogue
    }

    private static func receive(_ dialogue: inout ChannelDialogue, _ text: String) -> [ChannelDialogue.Action] {
        dialogue.receive(.text(text), at: .zero, Date(timeIntervalSince1970: 0))
    }

    /// The `type` of each text that is said, `rtvi` for one of RTVI's.
    private static func types(_ actions: [ChannelDialogue.Action]) -> [String] {
        var types: [String] = []
        for case .say(let text) in actions {
            let json = JSONValue(json: text)
            types.append(json?["label"]?.text == "rtvi-ai" ? "rtvi" : json?["type"]?.text ?? "?")
        }
        return types
    }

    private static func code(_ actions: [ChannelDialogue.Action]) -> UInt16? {
        guard case .end(let reason)? = actions.last else { return nil }
        return reason.code
    }

    @Test func `a page's greeting begins the conversation and is answered once that has begun`() {
        var dialogue = Self.page()
        #expect(Self.receive(&dialogue, Self.hello) == [.begin])
        let answer = dialogue.begin(Self.ready)
        #expect(Self.types(answer) == ["ready"])
        guard case .say(let text)? = answer.first else { return }
        let json = JSONValue(json: text)
        #expect(json?["session"]?.text == "s1" && json?["models"]?["asr"]?.text == "a")
        #expect(json?["playout"]?["sample_rate"]?.whole == 24_000)
    }

    @Test func `a conversation that began without the page tells it everything at its greeting, in order`() {
        var dialogue = Self.dialogue()
        #expect(Self.types(dialogue.begin(Self.ready)) == [])
        #expect(dialogue.handle(.agentSpeaking(true), at: Date(timeIntervalSince1970: 0)) == [])
        dialogue.open(DataChannelParameters(label: "repartee"), at: .zero)
        #expect(dialogue.handle(.agentSpeaking(false), at: Date(timeIntervalSince1970: 0)) == [])
        let answer = Self.receive(&dialogue, Self.hello)
        #expect(answer.first == .begin)
        #expect(Self.types(answer) == ["ready", "agent_speaking", "agent_speaking"])
    }

    @Test func `only the latest 50 messages wait for a page`() {
        var session = PageSession(helloTimeout: .seconds(10))
        session.open(at: .zero)
        for turn in 0..<60 { _ = session.handle(.turnDropped(turn: turn, reason: "r")) }
        #expect(session.dropped == 10)
        _ = session.begin(Self.ready)
        let answer = session.receive(Self.hello)
        #expect(Self.types(answer).count == 51)
        let oldest = answer.dropFirst(2).first
        #expect(oldest == .say(#"{"reason":"r","turn":10,"type":"turn_dropped"}"#))
    }

    @Test func `a page's messages become events and answers`() {
        var dialogue = Self.conversing()
        #expect(Self.receive(&dialogue, #"{"type":"text","text":" hi "}"#) == [.deliver(.text("hi"))])
        #expect(Self.receive(&dialogue, #"{"type":"interrupt"}"#) == [.deliver(.interrupt)])
        #expect(Self.receive(&dialogue, #"{"type":"ping","t":2}"#) == [.say(#"{"t":2,"type":"pong"}"#)])
        #expect(Self.receive(&dialogue, #"{"type":"bye"}"#) == [.end(.ended)])
        #expect(Self.receive(&dialogue, #"{"type":"later"}"#) == [])
    }

    @Test func `what a page says it has played is not believed, and no cut is told`() {
        var dialogue = Self.conversing()
        #expect(Self.receive(&dialogue, #"{"type":"played","epoch":1,"samples":9}"#) == [])
        #expect(dialogue.interrupt() == [])
    }

    @Test func `news reaches a page in its own protocol only`() {
        var dialogue = Self.conversing()
        let news = dialogue.handle(
            .userTranscript(turn: 1, text: "hello", isFinal: true),
            at: Date(timeIntervalSince1970: 0)
        )
        #expect(news == [.say(#"{"final":true,"text":"hello","turn":1,"type":"user_transcript"}"#)])
        #expect(dialogue.handle(.reply(turn: 1, .modelBegan), at: Date(timeIntervalSince1970: 0)) == [])
    }

    @Test(arguments: [
        ("no JSON", 1007), (#"{"type":"text"}"#, 1007), (#"{"type":"text","text":7}"#, 1007), ("", 1007), ("[]", 1007),
        (hello, 1002),
    ])
    func `a message that breaks the protocol ends the call with a reason`(text: String, code: Int) {
        var dialogue = Self.conversing()
        #expect(Self.code(Self.receive(&dialogue, text)) == UInt16(code))
    }

    @Test func `the greeting must come first, in its version and in time`() {
        var dialogue = Self.page()
        #expect(Self.receive(&dialogue, #"{"type":"later"}"#) == [])
        #expect(Self.code(Self.receive(&dialogue, #"{"type":"interrupt"}"#)) == 1002)
        let newer = #"{"type":"hello","version":2,"microphone":{"sample_rate":48000},"playout":{"sample_rate":48000}}"#
        #expect(Self.code(Self.receive(&dialogue, newer)) == 1002)
        #expect(dialogue.tick(at: .seconds(9.9)) == [])
        #expect(Self.code(dialogue.tick(at: .seconds(10))) == 1002)
        _ = Self.receive(&dialogue, Self.hello)
        #expect(dialogue.tick(at: .seconds(11)) == [])
    }

    @Test func `binary messages have no place beside tracks`() {
        var dialogue = Self.conversing()
        let end = dialogue.receive(.binary([1, 0, 0, 0]), at: .zero, Date(timeIntervalSince1970: 0))
        #expect(Self.code(end) == 1003)
    }

    @Test func `a page is told why it ends, with the close code that a channel has not`() {
        var dialogue = Self.conversing()
        #expect(Self.types(dialogue.farewell(.full("no room"))) == ["error", "bye"])
        #expect(dialogue.farewell(.ended) == [.say(#"{"code":1000,"type":"bye"}"#)])
        #expect(dialogue.close() == [.end(.ended)])
    }

    @Test func `a channel of another name carries RTVI`() {
        var dialogue = Self.dialogue()
        _ = dialogue.handle(.agentSpeaking(true), at: Date(timeIntervalSince1970: 0))
        dialogue.open(DataChannelParameters(label: "chat"), at: .zero)
        let ready = #"{"label":"rtvi-ai","type":"client-ready","id":"1","data":{"version":"2.1.0"}}"#
        #expect(Self.receive(&dialogue, ready) == [.begin])
        let begun = dialogue.begin(Self.ready)
        #expect(Self.types(begun).allSatisfy { $0 == "rtvi" } && begun.count == 2)
        #expect(Self.receive(&dialogue, "ping: 12") == [])
        let text = #"{"label":"rtvi-ai","type":"send-text","id":"2","data":{"content":"hi"}}"#
        let typed = Self.receive(&dialogue, text)
        #expect(typed.contains(.begin))
        #expect(Self.types(dialogue.farewell(.full("no room"))) == ["rtvi", "signalling"])
        #expect(dialogue.close() == [])
    }
}
