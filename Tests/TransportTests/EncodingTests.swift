internal import NIOCore
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct EncodingTests {
    private static let report = TurnReport(
        turn: 1,
        user: "hi",
        agent: "hello",
        interrupted: false,
        voiceToVoice: 412,
        tiles: LatencyTiles(endpointWait: 400, output: 12),
        speculation: .none,
        llm: .init(promptTokens: 3, cachedTokens: 2, generatedTokens: 1)
    )

    @Test(
        arguments: [
            (
                .ready(
                    Welcome(
                        session: "s",
                        token: "a.b.c",
                        models: ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s")
                    ),
                    playout: .wideband
                ),
                #"{"models":{"asr":"a","llm":"l","tts":"s","turn":"t","vad":"v"},"playout":{"sample_rate":48000},"#
                    + #""session":"s","token":"a.b.c","type":"ready","version":1}"#
            ),
            (
                .ready(
                    Welcome(
                        session: "s",
                        models: ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s"),
                        advice: "get a better one"
                    ),
                    playout: .wideband
                ),
                #"{"advice":"get a better one","models":{"asr":"a","llm":"l","tts":"s","turn":"t","vad":"v"},"#
                    + #""playout":{"sample_rate":48000},"session":"s","type":"ready","version":1}"#
            ),
            (.cut(epoch: 3), #"{"epoch":3,"type":"cut"}"#),
            (.pause(epoch: 3), #"{"epoch":3,"type":"pause"}"#),
            (.pong(12.5), #"{"t":12.5,"type":"pong"}"#),
            (.event(.userSpeaking(true)), #"{"speaking":true,"type":"user_speaking"}"#),
            (.event(.agentSpeaking(false)), #"{"speaking":false,"type":"agent_speaking"}"#),
            (
                .event(.userTranscript(turn: 2, text: "a/\"b\"", isFinal: false)),
                #"{"final":false,"text":"a/\"b\"","turn":2,"type":"user_transcript"}"#
            ),
            (
                .event(.agentTranscript(turn: 2, heard: "h", pending: "p", isFinal: true, interrupted: true)),
                #"{"final":true,"heard":"h","interrupted":true,"pending":"p","turn":2,"type":"agent_transcript"}"#
            ),
            (.event(.turnDropped(turn: 4, reason: "r")), #"{"reason":"r","turn":4,"type":"turn_dropped"}"#),
            (
                .event(
                    .reply(turn: 2, .toolBegan(ToolCall(id: "c", name: "book", arguments: ["day": "Mon", "n": 2])))
                ),
                #"{"arguments":{"day":"Mon","n":2},"id":"c","tool":"book","turn":2,"type":"tool_began"}"#
            ),
            (
                .event(
                    .reply(turn: 2, .toolEnded(ToolCall(id: "c", name: "book", arguments: [:]), ToolOutcome("done")))
                ),
                #"{"id":"c","result":"done","succeeded":true,"tool":"book","turn":2,"type":"tool_ended"}"#
            ),
            (
                .event(.job(JobReport(id: "job_1", tool: "taxi", status: .running, sequence: 2, text: "near"))),
                #"{"id":"job_1","seq":2,"status":"running","text":"near","tool":"taxi","type":"job"}"#
            ),
            (.event(.handedOver(to: "billing")), #"{"agent":"billing","type":"handed_over"}"#),
            (.event(.error(code: "fault", message: "m")), #"{"code":"fault","message":"m","type":"error"}"#),
            (
                .event(.turnReport(report)),
                #"{"report":{"agent":"hello","interrupted":false,"#
                    + #""llm":{"cached_tokens":2,"generated_tokens":1,"prompt_tokens":3},"speculation":"none","#
                    + #""tiles_ms":{"asr_final":0,"endpoint_wait":400,"llm_first_segment":0,"llm_first_token":0,"#
                    + #""output":12,"tts_first_audio":0,"turn_detection":0},"turn":1,"user":"hi","v2v_ms":412},"type":"turn"}"#
            ),
        ] as [(BrowserProtocol.ServerMessage, String)]
    )
    func `each message has its JSON`(message: BrowserProtocol.ServerMessage, json: String) throws {
        #expect(String(buffer: try BrowserProtocol.encode(message)) == json)
    }

    @Test func `a measurement that is no number does not lose the message`() throws {
        var report = Self.report
        report.voiceToVoice = .nan
        #expect(String(buffer: try BrowserProtocol.encode(.event(.turnReport(report)))).contains(#""v2v_ms":"nan""#))
    }

    @Test func `reply audio has a header of twelve bytes`() {
        let audio = AudioFrame(samples: [0, 0.5, -1, 1, 7, -.infinity, .nan], rate: .wideband, position: 0x0102_0304)
        let bytes = Array(buffer: BrowserProtocol.encode(PlayoutFrame(epoch: 0x0506, audio: audio)))
        #expect(bytes.prefix(12) == [2, 0, 0, 0, 6, 5, 0, 0, 4, 3, 2, 1])
        let samples = [0, 0, 0, 0x40, 0, 0x80, 0xff, 0x7f, 0xff, 0x7f, 0, 0x80, 0, 0] as [UInt8]
        #expect(Array(bytes.dropFirst(12)) == samples)
    }

    @Test func `every 16-bit value survives the way in and out`() throws {
        let values = Array(Int16.min...Int16.max)
        var wire = ByteBuffer(bytes: [1, 0])
        for value in values { wire.writeInteger(value, endianness: .little) }
        let samples = try BrowserProtocol.decode(binary: wire, rate: SampleRate(96_000))
        let frame = PlayoutFrame(epoch: 1, audio: AudioFrame(samples: samples, rate: .wideband, position: 0))
        #expect(BrowserProtocol.encode(frame).readableBytesView.dropFirst(12) == wire.readableBytesView.dropFirst(2))
    }
}
