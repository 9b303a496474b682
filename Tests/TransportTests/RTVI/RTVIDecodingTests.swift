internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Transports

@Suite struct RTVIDecodingTests {
    @Test func `every message that Pipecat's classes make is read`() throws {
        let golden = try PipecatGolden()
        let samples = try golden.samples().map { Float($0) / 32_768 }
        let stereo = stride(from: 0, to: samples.count, by: 2).map { (samples[$0] + samples[$0 + 1]) / 2 }
        let expected: [String: RTVIClientMessage] = [
            "client-ready": .ready(version: "2.1.0"),
            "client-message": .message(type: "weather", data: ["city": "Paris"]),
            "send-text": .text(TypedMessage(text: "hi")),
            "send-text-later": .text(TypedMessage(text: "hi", isAnswered: false)),
            "send-text-written": .text(TypedMessage(text: "hi", isSpoken: false)),
            "dtmf": .keys(["1", "*", "#"]),
            "llm-function-call-result": .functionResult(
                name: "vote",
                call: "c1",
                arguments: ["for": 3],
                result: ["ok": true]
            ),
            "send-file": .unsupported(type: "send-file"), "ui-event": .unsupported(type: "ui-event"),
            "disconnect-bot": .disconnect,
            "raw-audio": .audio([stereo], .speech),
            "raw-audio-batch": .audio([Array(samples[..<2]), Array(samples[2...])], SampleRate(24_000)),
        ]
        #expect(try golden.names("client") == expected.keys.sorted())
        for (name, message) in expected {
            let json = try golden.value("client", name).json
            #expect(RTVIClientMessage.read(json) == .message(id: "b1", message), "\(name)")
        }
    }

    @Test(arguments: [
        "", "ping: 1234", "[]", "null", "{}", #"{"label":"other","type":"client-ready","id":"1"}"#,
        #"{"type":"signalling","message":{"type":"trackStatus"}}"#, String(repeating: "[", count: 100_000),
    ])
    func `what is not RTVI is somebody else's`(text: String) {
        #expect(RTVIClientMessage.read(text) == .foreign)
    }

    @Test(arguments: [
        #"{"label":"rtvi-ai"}"#, #"{"label":"rtvi-ai","type":"client-ready"}"#, #"{"label":"rtvi-ai","id":"1"}"#,
        #"{"label":"rtvi-ai","id":1,"type":"client-ready"}"#, #"{"label":"rtvi-ai","id":"1","type":{}}"#,
    ])
    func `an envelope needs an id and a type`(text: String) {
        guard case .malformed = RTVIClientMessage.read(text) else {
            Issue.record("\(RTVIClientMessage.read(text))")
            return
        }
    }

    @Test(arguments: [
        ("client-message", "{}"), ("client-message", #"{"t":1}"#), ("send-text", "{}"),
        ("send-text", #"{"content":""}"#),
        ("send-text", #"{"content":" \n"}"#), ("send-text", #"{"content":"a","options":{"run_immediately":"no"}}"#),
        ("send-text", "[]"), ("send-text", "7"), ("dtmf", "{}"), ("dtmf", #"{"buttons":[]}"#),
        ("dtmf", #"{"buttons":["12"]}"#), ("dtmf", #"{"buttons":["1","A"]}"#), ("dtmf", #"{"buttons":[1]}"#),
        ("raw-audio", "{}"), ("raw-audio", #"{"base64Audio":"AA==","sampleRate":16000}"#),
        ("raw-audio", #"{"base64Audio":"AA==","sampleRate":0,"numChannels":1}"#),
        ("raw-audio", #"{"base64Audio":"AA==","sampleRate":1e9,"numChannels":1}"#),
        ("raw-audio", #"{"base64Audio":"AA==","sampleRate":16000.5,"numChannels":1}"#),
        ("raw-audio", #"{"base64Audio":"AA==","sampleRate":16000,"numChannels":0}"#),
        ("raw-audio", #"{"base64Audio":"!","sampleRate":16000,"numChannels":1}"#),
        ("llm-function-call-result", #"{"function_name":"f"}"#),
    ])
    func `content of another form is refused with the message's id`(type: String, data: String) {
        let text = #"{"label":"rtvi-ai","id":"q","type":"\#(type)","data":\#(data)}"#
        guard case .invalid("q", _) = RTVIClientMessage.read(text) else {
            Issue.record("\(RTVIClientMessage.read(text))")
            return
        }
    }

    @Test func `the single button of version 2.0 is a key too`() {
        let text = #"{"label":"rtvi-ai","id":"q","type":"dtmf","data":{"button":"5"}}"#
        #expect(RTVIClientMessage.read(text) == .message(id: "q", .keys(["5"])))
    }

    @Test func `no text makes the reader fail`() throws {
        let golden = try PipecatGolden()
        let texts = try golden.names("client").map { Array(try golden.value("client", $0).json.utf8) }
        var random = SplitMix64(seed: 15)
        for _ in 0..<20_000 {
            var bytes = texts[Int.random(in: 0..<texts.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) { damage(&bytes, &random) }
            _ = RTVIClientMessage.read(String(decoding: bytes, as: UTF8.self))
        }
    }
}
