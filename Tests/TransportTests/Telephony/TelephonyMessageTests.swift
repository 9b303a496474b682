internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Transports

@Suite struct TelephonyMessageTests {
    private static let twilio = #"""
        {"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],
        "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"a":"b"}},
        "streamSid":"MZ1"}
        """#
    private static let telnyx = #"""
        {"event":"start","sequence_number":"1","start":{"user_id":"u","call_control_id":"v3:T0_-=","media_format":
        {"encoding":"PCMA","sample_rate":8000,"channels":1}},"stream_id":"32de-x"}
        """#
    private static let plivo = #"""
        {"sequenceNumber":0,"event":"start","start":{"callId":"6d21","streamId":"20b2","accountId":"MA1","tracks":["inbound"],
        "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000}},"extra_headers":"{}"}
        """#

    @Test func `each provider's start names its stream and its call`() throws {
        #expect(
            try TelephonyMessage(reading: Self.twilio)
                == .start(TelephonyCall(provider: .twilio, stream: "MZ1", call: "CA1", account: "AC1"))
        )
        #expect(
            try TelephonyMessage(reading: Self.telnyx)
                == .start(
                    TelephonyCall(provider: .telnyx, stream: "32de-x", call: "v3:T0_-=", account: nil, codec: .aLaw)
                )
        )
        #expect(
            try TelephonyMessage(reading: Self.plivo)
                == .start(TelephonyCall(provider: .plivo, stream: "20b2", call: "6d21", account: "MA1"))
        )
    }

    @Test(arguments: [
        (#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#, TelephonyMessage.ignored),
        (
            #"{"event":"media","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"/38A"}}"#,
            .media([255, 127, 0])
        ),
        (#"{"event":"media","media":{"track":"outbound","payload":"/38A"}}"#, .ignored),
        (#"{"event":"media","media":{"payload":""}}"#, .media([])),
        (##"{"event":"dtmf","dtmf":{"track":"inbound_track","digit":"#"}}"##, .key("#")),
        (#"{"event":"dtmf","dtmf":{"digit":"A"}}"#, .ignored), (#"{"event":"dtmf"}"#, .ignored),
        (#"{"event":"mark","streamSid":"MZ1","mark":{"name":"7"}}"#, .mark("7")),
        (#"{"event":"playedStream","streamId":"20b2","name":"8"}"#, .mark("8")),
        (#"{"event":"clearedAudio","streamId":"20b2"}"#, .ignored),
        (#"{"event":"stop","stop":{"accountSid":"AC1","callSid":"CA1"}}"#, .stop),
        (#"{"event":"error","payload":{"code":100002}}"#, .ignored),
    ])
    func `each message has its meaning`(json: String, message: TelephonyMessage) throws {
        #expect(try TelephonyMessage(reading: json) == message)
    }

    @Test(arguments: [
        "", "x", "{}", "[]", #"{"event":1}"#, #"{"event":"start"}"#, #"{"event":"start","start":{}}"#,
        #"{"event":"start","start":{"streamSid":"MZ1"}}"#,
        #"{"event":"start","start":{"streamSid":"","callSid":"CA1"}}"#,
        #"{"event":"start","start":{"streamSid":"MZ1","callSid":"../../x?y"}}"#,
        #"{"event":"start","start":{"streamSid":"MZ1","callSid":"CA1","accountSid":"a b"}}"#, #"{"event":"media"}"#,
        #"{"event":"media","media":{"payload":"?"}}"#, #"{"event":"media","media":{"payload":7}}"#,
        #"{"event":"mark"}"#,
        #"{"event":"mark","mark":{"name":1}}"#,
    ])
    func `text of another form is refused`(json: String) {
        let problem = #expect(throws: TelephonyMessage.Problem.self) { try TelephonyMessage(reading: json) }
        guard case .malformed? = problem else {
            Issue.record("\(String(describing: problem))")
            return
        }
    }

    @Test(arguments: [
        (#""encoding":"audio/x-mulaw","sampleRate":8000"#, #""encoding":"audio/x-l16","sampleRate":8000"#),
        (#""sampleRate":8000"#, #""sampleRate":16000"#), (#""channels":1"#, #""channels":2"#),
    ])
    func `sound of another form is refused`(is: String, becomes: String) {
        let json = Self.twilio.replacing(`is`, with: becomes)
        let problem = #expect(throws: TelephonyMessage.Problem.self) { try TelephonyMessage(reading: json) }
        guard case .unplayable? = problem else {
            Issue.record("\(String(describing: problem))")
            return
        }
    }

    @Test func `the messages to each provider are those of Pipecat's serializers`() throws {
        let golden = try PipecatGolden()
        let samples = try golden.samples().map { Float($0) / 32_768 }
        for (name, call) in [
            ("twilio", TelephonyCall(provider: .twilio, stream: "MZ1", call: "CA1", account: nil)),
            ("telnyx-pcmu", TelephonyCall(provider: .telnyx, stream: "T1", call: "c", account: nil)),
            ("plivo", TelephonyCall(provider: .plivo, stream: "P1", call: "c", account: nil)),
        ] {
            let media = try #require(try golden.value("telephony", name, "media").text)
            #expect(JSONValue(json: call.media(samples)) == JSONValue(json: media), "\(name)")
            let clear = try #require(try golden.value("telephony", name, "clear").text)
            #expect(JSONValue(json: call.clear) == JSONValue(json: clear), "\(name)")
        }
    }

    @Test func `no text makes the reader fail`() {
        let seeds = [
            Self.twilio, Self.telnyx, Self.plivo, #"{"event":"media","media":{"track":"inbound","payload":"/38A"}}"#,
            #"{"event":"mark","streamSid":"MZ1","mark":{"name":"7"}}"#, #"{"event":"dtmf","dtmf":{"digit":"1"}}"#,
        ]
        var random = SplitMix64(seed: 18)
        for _ in 0..<20_000 {
            var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) { damage(&bytes, &random) }
            _ = try? TelephonyMessage(reading: String(decoding: bytes, as: UTF8.self))
        }
    }
}
