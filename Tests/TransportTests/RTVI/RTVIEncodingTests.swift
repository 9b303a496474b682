internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct RTVIEncodingTests {
    private static let input = RTVIServerMessage.UserInput(
        text: "hello",
        timestamp: "2026-11-26T09:00:00.250+00:00",
        isFinal: true
    )
    private static let chat = RTVIServerMessage.UserInput(
        text: "hello",
        kind: .chat,
        timestamp: "2026-11-26T09:00:00.250+00:00",
        isFinal: true,
        message: "a4"
    )
    private static let about = RTVIAbout(library: "repartee", version: "1.2.3")

    /// Our message for each of Pipecat's.
    private static let messages: [String: RTVIServerMessage] = [
        "ready": .ready(id: "a1", version: .server, about: about),
        "ready-legacy": .ready(id: "a1", version: RTVIVersion(1, 4, 0), about: about),
        "error": .error("the voice failed", isFatal: false),
        "error-response": .errorResponse(id: "a2", "Unsupported type x"),
        "server-message": .message(["a": .array([1, .number(2.5), .null, true, "b"])]),
        "server-response": .response(id: "a3", type: "weather", data: ["c": 21]),
        "user-started": .userSpeaking(true), "user-stopped": .userSpeaking(false),
        "vad-started": .userVoice(true), "vad-stopped": .userVoice(false),
        "mute-started": .userMuted(true), "mute-stopped": .userMuted(false),
        "user-transcription": .userTranscription(input), "user-input": .userInput(input),
        "user-input-chat": .userInput(chat), "user-llm-text": .userLLMText("Two cities."),
        "bot-started": .botSpeaking(true), "bot-stopped": .botSpeaking(false), "bot-interrupted": .botInterrupted,
        "bot-output-new": output(.new, heard: ""), "bot-output-in-progress": output(.inProgress, heard: "Two"),
        "bot-output-completed": output(.completed, heard: "Two cities."),
        "bot-output-written": output(.new, heard: "", isSpoken: false),
        "llm-started": .botLLM(isBusy: true), "llm-stopped": .botLLM(isBusy: false),
        "tts-started": .botTTS(isBusy: true), "tts-stopped": .botTTS(isBusy: false),
        "bot-llm-text": .botLLMText("Two cities."), "bot-tts-text": .botTTSText("Two cities."),
        "bot-transcription": .botTranscription("Two cities."), "stt-raw-text": .raw(.recognised(input)),
        "llm-raw-text": .raw(.generated("Two cities.")), "tts-raw-text": .raw(.spoken("Two cities.")),
        "llm-marker": .botLLMMarker(text: "●", kind: "complete", raw: "● Two cities.", markers: ["●", "○"]),
        "function-started": .functionStarted(name: "vote"), "function-started-redacted": .functionStarted(name: nil),
        "function-in-progress": .functionInProgress(call: "c1", name: "vote", arguments: ["for": 3]),
        "function-stopped": .functionStopped(call: "c1", isCancelled: false, name: "vote", result: ["ok": true]),
        "tts-audio": .botTTSAudio(base64: "AAA=", sampleRate: 24_000, channels: 1),
        "metrics": .metrics(["ttfb": .array([["processor": "p", "model": "m", "value": .number(0.25)]])]),
        "user-level": .userAudioLevel(0.5), "bot-level": .botAudioLevel(0.25), "system-log": .systemLog("Two cities."),
        "ui-command": .uiCommand("toast", payload: ["title": "t"]),
        "ui-job-group": .uiJobGroup(["kind": "group_completed", "job_id": "j", "at": 5]),
    ]

    private static func output(
        _ status: RTVIServerMessage.BotOutput.Status,
        heard: String,
        isSpoken: Bool = true
    ) -> RTVIServerMessage {
        .botOutput(.init(text: "Two cities.", segment: 7, isSpoken: isSpoken, status: status, heard: heard))
    }

    @Test func `every message of Pipecat has its counterpart, equal as JSON`() throws {
        let golden = try PipecatGolden()
        #expect(try golden.names("server") == Self.messages.keys.sorted())
        for (name, message) in Self.messages {
            let json = try #require(message.json(for: .server), "\(name)")
            #expect(JSONValue(json: json) == (try golden.value("server", name)), "\(name)")
        }
    }

    @Test func `a client of version 1 gets the old form of what the agent says`() throws {
        let old = RTVIVersion(1, 2, 0)
        let sentence = try #require(Self.output(.new, heard: "").json(for: old).flatMap(JSONValue.init(json:)))
        #expect(sentence["data"] == ["text": "Two cities.", "aggregated_by": "sentence", "spoken": false])
        let word = try #require(Self.output(.completed, heard: "").json(for: old).flatMap(JSONValue.init(json:)))
        #expect(word["data"] == ["text": "Two cities.", "aggregated_by": "word", "spoken": true])
    }

    @Test(arguments: [RTVIVersion(1, 4, 0), RTVIVersion(2, 0, 0), RTVIVersion(2, 1, 9)])
    func `messages of 2.2 are kept from older clients`(version: RTVIVersion) {
        #expect(RTVIServerMessage.userInput(Self.input).json(for: version) == nil)
        #expect(RTVIServerMessage.raw(.generated("x")).json(for: version) == nil)
        #expect(RTVIServerMessage.userTranscription(Self.input).json(for: version) != nil)
    }

    @Test(arguments: [
        ("2.2.0", RTVIVersion(2, 2, 0)), ("1.0.17", RTVIVersion(1, 0, 17)), ("", nil), ("2", nil), ("2.1", nil),
        ("2.1.x", nil), ("2..1", nil), ("2.1.0.1", nil), ("-1.0.0", nil), ("99999999999999999999.0.0", nil),
    ])
    func `a version is three whole numbers`(text: String, version: RTVIVersion?) {
        #expect(RTVIVersion(text) == version)
    }
}
