internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Transports

@Suite struct RTVISessionTests {
    private static let date = Date(timeIntervalSince1970: 1_795_000_000.25)

    /// A session with what it was told to do, by type.
    private struct Client: ~Copyable {
        var session: RTVISession

        init(tellsRawText: Bool = false) {
            session = RTVISession(
                about: RTVIAbout(library: "repartee", version: "1.2.3"),
                models: ModelNames(vad: "v", turn: "t", asr: "a", llm: "l", tts: "s"),
                tellsRawText: tellsRawText
            )
        }

        mutating func send(_ type: String, _ data: String = "{}", id: String = "q") -> [RTVISession.Action] {
            let text = #"{"label":"rtvi-ai","id":"\#(id)","type":"\#(type)","data":\#(data)}"#
            return session.receive(text, at: .zero, date)
        }

        mutating func ready(_ version: String = "2.2.0") -> [RTVISession.Action] {
            send("client-ready", #"{"version":"\#(version)"}"#, id: "hello")
        }

        mutating func news(_ events: SessionEvent...) -> [JSONValue] {
            var said: [JSONValue] = []
            for event in events { said += messages(session.handle(event, at: date)) }
            return said
        }
    }

    private static func messages(_ actions: [RTVISession.Action]) -> [JSONValue] {
        actions.compactMap { if case .say(let text) = $0 { JSONValue(json: text) } else { nil } }
    }

    private static func types(_ messages: [JSONValue]) -> [String] { messages.compactMap { $0["type"]?.text } }

    @Test func `the handshake answers with the client's id once both sides are ready, in either order`() throws {
        var first = Client()
        #expect(first.ready() == [.begin])
        let late = Self.messages(first.session.begin())
        #expect(late.count == 1 && late[0]["id"] == "hello" && late[0]["type"] == "bot-ready")
        var second = Client()
        #expect(second.session.begin() == [])
        let actions = second.ready("2.1.0")
        #expect(actions.first == .begin)
        let message = try #require(Self.messages(actions).first)
        #expect(message["id"] == "hello")
        #expect(message["data"]?["version"] == "2.2.0")
        #expect(Self.types(Self.messages(second.ready())) == ["bot-ready"])
    }

    @Test(arguments: [
        (#"{"version":"1.0.3"}"#, "1.0.3", false), (#"{"version":"2.9.0"}"#, "2.2.0", false),
        (#"{"version":"3.0.0"}"#, "2.2.0", true), (#"{"version":"0.3.1"}"#, "2.2.0", true),
        (#"{"version":"two"}"#, "2.2.0", true), ("{}", "2.2.0", true), (#"{"version":2}"#, "2.2.0", true),
    ])
    func `a version that is not served gets a warning, and is served`(data: String, version: String, warns: Bool) {
        var client = Client()
        _ = client.session.begin()
        let messages = Self.messages(client.send("client-ready", data))
        #expect(Self.types(messages) == (warns ? ["error-response", "bot-ready"] : ["bot-ready"]))
        #expect(messages.last?["data"]?["version"] == .string(version))
    }

    @Test func `what happens before the client is ready waits, the latest fifty`() {
        var client = Client()
        _ = client.session.begin()
        for turn in 0..<30 { _ = client.news(.error(code: "fault", message: "\(turn)"), .userSpeaking(true)) }
        #expect(client.session.dropped == 10)
        let messages = Self.messages(client.ready())
        #expect(messages.count == 51)
        #expect(messages.first?["type"] == "bot-ready")
        #expect(messages[1]["data"]?["error"] == "5")
    }

    @Test func `a reply is told as it is made, heard and cut`() {
        var client = Client()
        _ = client.session.begin()
        _ = client.ready()
        let made = client.news(
            .userSpeaking(true),
            .userTranscript(turn: 1, text: "hel", isFinal: false),
            .userSpeaking(false),
            .userTranscript(turn: 1, text: "hello", isFinal: true),
            .reply(turn: 1, .modelBegan),
            .reply(turn: 1, .text("Two ")),
            .reply(turn: 1, .text("cities,")),
            .reply(turn: 1, .clause("Two cities,", isSpoken: true)),
            .agentSpeaking(true)
        )
        #expect(
            Self.types(made) == [
                "user-started-speaking", "user-input", "user-transcription", "user-stopped-speaking", "user-input",
                "user-transcription", "user-llm-text", "bot-llm-started", "bot-llm-text", "bot-llm-text",
                "bot-transcription", "bot-tts-started", "bot-started-speaking", "bot-output",
            ]
        )
        #expect(made.last?["data"]?["spoken_status"] == "new")
        #expect(made[1]["data"]?["timestamp"] == "2026-11-18T11:06:40.250Z")
        let heard = client.news(
            .agentTranscript(turn: 1, heard: "Two", pending: " cities,", isFinal: false, interrupted: false)
        )
        #expect(Self.types(heard) == ["bot-output", "bot-tts-text"])
        #expect(heard[0]["data"]?["spoken_status"] == "in-progress")
        #expect(heard[0]["data"]?["spoken_progress"] == ["accumulated_text": "Two", "remaining_text": " cities,"])
        let more = client.news(
            .reply(turn: 1, .text(" one")),
            .reply(turn: 1, .clause(" one heart.", isSpoken: true)),
            .reply(turn: 1, .modelEnded),
            .reply(turn: 1, .voiceEnded),
            .agentTranscript(turn: 1, heard: "Two cities, one", pending: " heart.", isFinal: false, interrupted: false)
        )
        #expect(
            Self.types(more) == [
                "bot-llm-text", "bot-transcription", "bot-output", "bot-llm-stopped", "bot-tts-stopped", "bot-output",
                "bot-output", "bot-tts-text",
            ]
        )
        #expect(more[5]["data"]?["spoken_status"] == "completed")
        #expect(more[6]["data"]?["spoken_progress"] == ["accumulated_text": "one", "remaining_text": " heart."])
        #expect(more[7]["data"]?["text"] == "cities, one")
        #expect(more[5]["data"]?["segment_id"] != more[6]["data"]?["segment_id"])
        #expect(Self.types(Self.messages(client.session.interrupt())) == ["bot-interrupted"])
        let over = client.news(
            .agentSpeaking(false),
            .agentTranscript(turn: 1, heard: "Two cities, one", pending: "", isFinal: true, interrupted: true)
        )
        #expect(Self.types(over) == ["bot-stopped-speaking"])
    }

    @Test func `a client of version 1 gets a sentence and its words`() {
        var client = Client()
        _ = client.session.begin()
        _ = client.ready("1.4.0")
        let messages = client.news(
            .agentSpeaking(true),
            .reply(turn: 0, .clause("Hello there.", isSpoken: true)),
            .agentTranscript(turn: 0, heard: "Hello", pending: " there.", isFinal: false, interrupted: false)
        ).filter { $0["type"] == "bot-output" }.compactMap { $0["data"] }
        #expect(
            messages == [
                ["text": "Hello there.", "aggregated_by": "sentence", "spoken": false],
                ["text": "Hello", "aggregated_by": "word", "spoken": true],
            ]
        )
    }

    @Test func `what is heard of the pieces is always a prefix, however it comes`() {
        var random = SplitMix64(seed: 4)
        let letters = Array("ab é🎙 \n,.")
        for _ in 0..<300 {
            var client = Client()
            _ = client.session.begin()
            _ = client.ready()
            _ = client.news(.agentSpeaking(true), .reply(turn: 1, .modelBegan))
            var reply = ""
            var progress: [Int: String] = [:]
            for _ in 0..<8 {
                let clause = String(
                    (0..<Int.random(in: 0...9, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a"
                    }
                )
                reply += clause
                let heard = String(reply.prefix(Int.random(in: 0...reply.count, using: &random)))
                let said = client.news(
                    .reply(turn: 1, .clause(clause, isSpoken: true)),
                    .agentTranscript(turn: 1, heard: heard, pending: "", isFinal: false, interrupted: false)
                )
                for data in said.filter({ $0["type"] == "bot-output" }).compactMap({ $0["data"] }) {
                    guard let text = data["text"]?.text, let number = data["segment_id"]?.whole,
                        let heard = data["spoken_progress"]?["accumulated_text"]?.text,
                        let rest = data["spoken_progress"]?["remaining_text"]?.text
                    else {
                        Issue.record("\(data)")
                        continue
                    }
                    #expect(heard + rest == text)
                    #expect(heard.hasPrefix(progress[number] ?? ""))
                    #expect(
                        data["spoken_status"] == (heard.isEmpty ? "new" : rest.isEmpty ? "completed" : "in-progress")
                    )
                    progress[number] = heard
                }
            }
        }
    }

    @Test func `a typed message is told back as chat, not as a transcription`() {
        var client = Client()
        _ = client.session.begin()
        _ = client.ready()
        let actions = client.send("send-text", #"{"content":"what is it?"}"#, id: "t1")
        #expect(actions.first == .deliver(.text("what is it?")))
        let chat = Self.messages(actions)
        #expect(Self.types(chat) == ["user-input"])
        #expect(chat[0]["data"]?["input_type"] == "chat" && chat[0]["data"]?["msg_id"] == "t1")
        #expect(
            Self.types(client.news(.userTranscript(turn: 1, text: "what is it?", isFinal: true))) == ["user-llm-text"]
        )
        let spoken = client.news(.userTranscript(turn: 2, text: "what is it?", isFinal: true))
        #expect(Self.types(spoken) == ["user-input", "user-transcription", "user-llm-text"])
    }

    @Test func `the options of a typed message reach the conversation`() {
        var client = Client()
        _ = client.session.begin()
        _ = client.ready()
        let later = client.send("send-text", #"{"content":"a","options":{"run_immediately":false}}"#)
        #expect(later.first == .deliver(.typed(TypedMessage(text: "a", isAnswered: false))))
        let written = client.send("send-text", #"{"content":"a","options":{"audio_response":false}}"#)
        #expect(written.first == .deliver(.typed(TypedMessage(text: "a", isSpoken: false))))
        let output = client.news(.reply(turn: 1, .modelBegan), .reply(turn: 1, .clause("Yes.", isSpoken: false)))
        #expect(Self.types(output) == ["bot-llm-started", "bot-output"])
        #expect(output[1]["data"]?["will_be_spoken"] == false && output[1]["data"]?["spoken_progress"] == nil)
        let end = client.news(.agentTranscript(turn: 1, heard: "Yes.", pending: "", isFinal: true, interrupted: false))
        #expect(end.isEmpty)
    }

    @Test func `keys become a typed message at the end sign or after two seconds`() {
        var client = Client()
        #expect(client.send("dtmf", #"{"buttons":["1","2"]}"#) == [.deliver(.interrupt)])
        #expect(client.send("dtmf", ##"{"buttons":["#"]}"##) == [.deliver(.text("DTMF: 12#"))])
        #expect(client.send("dtmf", #"{"buttons":["*"]}"#) == [.deliver(.interrupt)])
        #expect(client.session.tick(at: .milliseconds(1_999)) == [])
        #expect(client.session.tick(at: .seconds(2)) == [.deliver(.text("DTMF: *"))])
        #expect(client.session.tick(at: .seconds(9)) == [])
    }

    @Test func `messages of the application are asked and answered with their id`() {
        var client = Client()
        #expect(
            client.send("client-message", #"{"t":"weather","d":[1]}"#, id: "m")
                == [.ask(id: "m", type: "weather", data: .array([1]))]
        )
        let answer = Self.messages(client.session.respond(to: "m", type: "weather", data: nil))
        #expect(answer == [["label": "rtvi-ai", "type": "server-response", "id": "m", "data": ["t": "weather"]]])
    }

    @Test(arguments: ["send-file", "ui-event", "ui-snapshot", "append-to-context", "no such type"])
    func `what no agent here can do is refused`(type: String) {
        var client = Client()
        let refusal = Self.messages(client.send(type, id: "u"))
        #expect(Self.types(refusal) == ["error-response"])
        #expect(refusal[0]["id"] == "u" && refusal[0]["data"]?["error"] == .string("Unsupported type \(type)"))
    }

    @Test func `a report becomes measurements in seconds`() throws {
        var client = Client()
        _ = client.session.begin()
        _ = client.ready()
        let report = TurnReport(
            turn: 1,
            user: "u",
            agent: "four",
            interrupted: false,
            voiceToVoice: 500,
            tiles: LatencyTiles(asrFinal: 20, llmFirstToken: 60, ttsFirstAudio: 75),
            speculation: .none,
            llm: ReplyUsage(promptTokens: 30, cachedTokens: 20, generatedTokens: 5)
        )
        let data = try #require(client.news(.turnReport(report)).first?["data"])
        let first = try #require(data["ttfb"]?.elements)
        #expect(first.map { $0["value"] } == [.number(0.02), .number(0.06), .number(0.075)])
        #expect(data["tokens"]?.elements?.first?["total_tokens"] == 35)
        #expect(data["characters"]?.elements?.first?["value"] == 4)
    }

    @Test func `raw texts are told where they are wanted, and only to clients that know them`() {
        for (version, expected) in [("2.2.0", 3), ("2.1.0", 0)] {
            var client = Client(tellsRawText: true)
            _ = client.session.begin()
            _ = client.ready(version)
            let raw = client.news(
                .userTranscript(turn: 1, text: "hello", isFinal: true),
                .reply(turn: 1, .text("Hi")),
                .reply(turn: 1, .clause("Hi", isSpoken: true)),
                .agentSpeaking(true),
                .agentTranscript(turn: 1, heard: "Hi", pending: "", isFinal: false, interrupted: false)
            ).filter { $0["type"]?.text?.hasSuffix("-raw-text") == true }
            #expect(raw.count == expected)
        }
    }

    @Test func `a job is a group of one, whose beginning is told even if its end is all there is`() throws {
        func job(_ id: String, _ status: JobReport.Status, _ sequence: Int, _ text: String) -> SessionEvent {
            .job(JobReport(id: id, tool: "taxi", status: status, sequence: sequence, text: text))
        }
        var client = Client()
        _ = client.ready()
        _ = client.session.begin()
        let told = client.news(
            job("job_1", .running, 0, ""),
            job("job_1", .running, 3, #"{"minutes":4}"#),
            job("job_1", .completed, 4, "It is there."),
            job("job_2", .failed, 1, "No taxi.")
        )
        #expect(Self.types(told) == Array(repeating: "ui-job-group", count: 7))
        let data = told.compactMap { $0["data"] }
        #expect(
            data.map { $0["kind"]?.text } == [
                "group_started", "job_update", "job_completed", "group_completed", "group_started", "job_completed",
                "group_completed",
            ]
        )
        #expect(
            data[0]["workers"] == .array(["taxi"]) && data[0]["job_id"] == "job_1" && data[0]["cancellable"] == true
        )
        #expect(data[0]["at"] == .number(1_795_000_000_250))
        #expect(data[1]["data"]?["minutes"] == 4)
        #expect(data[2]["status"] == "completed" && data[2]["response"] == "It is there.")
        #expect(data[5]["status"] == "failed" && data[5]["job_id"] == "job_2")
        #expect(client.send("ui-cancel-job-group", #"{"job_id":"job_2"}"#) == [.deliver(.cancelJob("job_2"))])
        #expect(client.news(.handedOver(to: "billing")).first?["data"]?["agent"] == "billing")
    }
}
