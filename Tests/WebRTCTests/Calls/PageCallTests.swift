internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Transports

/// A call of the page, whose own protocol travels on its data channel.
@Suite struct PageCallTests {
    private static let hello =
        #"{"type":"hello","version":1,"microphone":{"sample_rate":48000},"playout":{"sample_rate":48000}}"#

    private static func types(_ texts: [String]) -> [String] { texts.compactMap { JSONValue(json: $0)?["type"]?.text } }

    @Test func `messages of both sides arrive once and in order, whatever the network loses`() async throws {
        let call = try await WholeCall(seed: 7, label: "repartee", greeting: Self.hello)
        var conditions = WholeCall.Conditions()
        conditions.loss = 0.1
        conditions.jitter = .milliseconds(30)
        conditions.duplication = 0.02
        call.impose(conditions)
        for index in 0..<20 {
            try call.say(#"{"type":"text","text":"word \#(index)"}"#)
            try call.write("line \(index)")
            try await call.run(for: .milliseconds(200))
        }
        try await call.run(for: .seconds(20)) { call.typed.count == 20 && call.texts.count == 21 }

        let words = (0..<20).map { "word \($0)" }
        #expect(call.typed == words)
        #expect(Self.types(call.texts) == ["ready"] + [String](repeating: "user_transcript", count: 20))
        let lines = call.texts.dropFirst().compactMap { JSONValue(json: $0)?["text"]?.text }
        #expect(lines == (0..<20).map { "line \($0)" })
    }

    @Test func `the page is told of no cut, and what was heard is reckoned without it`() async throws {
        let call = try await WholeCall(seed: 7, label: "repartee", greeting: Self.hello)
        call.reply([Float](repeating: 0.3, count: 24_000), epoch: 1)
        try await call.run(for: .milliseconds(400))
        try call.say(#"{"type":"played","epoch":1,"samples":24000}"#)
        try call.cut(epoch: 1)
        try await call.run(for: .seconds(1))
        #expect(Self.types(call.texts) == ["ready"])
        let played = try #require(call.played[1])
        #expect((4_800...11_520).contains(played))
    }

    @Test func `a message that breaks the protocol ends the call`() async throws {
        let call = try await WholeCall(seed: 7, label: "repartee", greeting: Self.hello)
        try call.say("no JSON")
        try await call.run(for: .seconds(1))
        #expect(call.end?.code == 1007)
    }
}
