internal import Conversation
internal import Foundation
internal import LanguageModels
internal import SpeechRecognition
internal import Testing
internal import VoiceCore
internal import VoiceServer
internal import WebSocketClient

@testable internal import Repartee

@Suite struct SettingsFileTests {
    /// The file of the checkout that holds these tests.
    static func checkout(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The checkout's folder.
    static var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    @Test func `the documented example is valid and mentions every setting`() throws {
        let document = try Self.checkout("docs/configuration.md")
        let example = try #require(document.components(separatedBy: "```yaml\n").dropFirst().first)
        let yaml = try #require(example.components(separatedBy: "\n```").first)
        let settings = try SettingsFile.parse(yaml, name: "example")
        #expect(settings.conversation.greeting == "Good morning, how can I help you?")
        #expect(settings.languageModelConfiguration.threads == 2)
        #expect(settings.conversation.playoutLead == .milliseconds(60))
        for path in SettingsFile.paths {
            let key = try #require(path.split(separator: ".").last)
            let indent = path.contains(".") ? "  " : ""
            #expect(yaml.contains("\n\(indent)\(key):"), "docs/configuration.md does not mention \(path)")
        }
    }

    @Test(arguments: [("off", Reasoning.off), ("on", .on), ("64", .budget(64)), ("0", .budget(0))])
    func `a model may think not at all, as long as it wants, or for a number of tokens`(
        value: String,
        reasoning: Reasoning
    ) throws {
        let settings = try SettingsFile.parse("language_model:\n  reasoning: \(value)", name: "x")
        #expect(settings.conversation.reasoning == reasoning)
    }

    @Test(arguments: ["maybe", "-1", "1.5", "true"])
    func `other ways to think are refused`(value: String) {
        let error = #expect(throws: VoiceError.self) {
            try SettingsFile.parse("language_model:\n  reasoning: \(value)", name: "x")
        }
        #expect(error?.message.contains("off, on, or a whole number") == true)
    }

    @Test func `a speech server is named by the environment, else by the file`() throws {
        let settings = try SettingsFile.parse("recognizer:\n  url: ws://file:1", name: "x")
        let environment = ["NVIDIA_ASR_URL": "http://variable:2"]
        #expect(try settings.recognizerAddresses(environment: environment).map(\.description) == ["ws://variable:2"])
        #expect(
            try settings.recognizerAddresses(environment: ["NVIDIA_ASR_URL": ""]).map(\.description) == ["ws://file:1"]
        )
        #expect(try Settings().recognizerAddresses(environment: [:]).isEmpty)
        let nonsense = try SettingsFile.parse("recognizer:\n  url: here", name: "x")
        let error = #expect(throws: VoiceError.self) { try nonsense.recognizerAddresses(environment: [:]) }
        #expect(error?.message.contains("recognizer.url") == true)
    }

    @Test func `a voice server is named by the environment, else by the file, and its path may be left out`() throws {
        let settings = try SettingsFile.parse("voice:\n  url: wss://file/speak", name: "x")
        let variable = try settings.voiceAddresses(environment: ["NVIDIA_TTS_URL": "http://variable:8001"]).first
        #expect(variable?.description == "ws://variable:8001")
        #expect(variable?.path == "/ws/tts/stream")
        #expect(try settings.voiceAddresses(environment: ["NVIDIA_TTS_URL": ""]).first?.path == "/speak")
        #expect(try Settings().voiceAddresses(environment: [:]).isEmpty)
        let nonsense = try SettingsFile.parse("voice:\n  url: here", name: "x")
        let error = #expect(throws: VoiceError.self) { try nonsense.voiceAddresses(environment: [:]) }
        #expect(error?.message.contains("voice.url") == true)
    }

    @Test func `several servers are a list, or have commas between them`() throws {
        let yaml = """
            recognizer:
              url: [ws://a:1, "http://b:2"]
            language_model:
              url: http://a:8000, http://b:8000/v1 ,
            voice:
              url:
                - ws://a:3
                - ws://b:3/speak
            """
        let settings = try SettingsFile.parse(yaml, name: "x")
        #expect(try settings.recognizerAddresses(environment: [:]).map(\.description) == ["ws://a:1", "ws://b:2"])
        let model = try #require(try settings.languageModelServers(environment: [:]))
        #expect(model.addresses.map(\.description) == ["http://a:8000", "http://b:8000"])
        #expect(try settings.voiceAddresses(environment: [:]).map(\.path) == ["/ws/tts/stream", "/speak"])
        let environment = ["NVIDIA_ASR_URL": "ws://c:1,ws://d:1,ws://e:1"]
        #expect(try settings.recognizerAddresses(environment: environment).count == 3)
        for wrong in ["[ws://a:1, ws://a:1]", "ws://a:1,ftp://b", "{a: b}"] {
            #expect(throws: VoiceError.self) {
                try SettingsFile.parse("recognizer:\n  url: \(wrong)", name: "x").recognizerAddresses(environment: [:])
            }
        }
    }

    @Test func `a word about waiting is said where an engine has several servers, unless it is set`() throws {
        func filler(_ yaml: String, _ environment: [String: String] = [:]) throws -> String {
            try SettingsFile.parse(yaml, name: "x").conversation(environment: environment).filler
        }
        #expect(try filler("") == "")
        #expect(try filler("voice:\n  url: ws://a:1") == "")
        #expect(try filler("voice:\n  url: [ws://a:1, ws://b:1]") == "One moment.")
        #expect(try filler("", ["NVIDIA_LLM_URL": "http://a:1,http://b:1"]) == "One moment.")
        #expect(try filler("agent:\n  filler: Hm.") == "Hm.")
        #expect(try filler("agent:\n  filler: \"\"\nvoice:\n  url: [ws://a:1, ws://b:1]") == "")
    }

    @Test func `secrets of telephone providers come from the environment, else from the file`() throws {
        let yaml = "telephony:\n  twilio_auth_token: file\n  plivo_auth_token: file\n  telnyx_api_key: \"\""
        let settings = try SettingsFile.parse(yaml, name: "x")
        let environment = ["TWILIO_AUTH_TOKEN": "variable", "PLIVO_AUTH_TOKEN": "", "TELNYX_PUBLIC_KEY": "key"]
        let accounts = settings.telephonyAccounts(environment: environment)
        #expect(accounts.twilio.token == "variable")
        #expect(accounts.plivo.token == "file")
        #expect(accounts.telnyx.key == nil && accounts.telnyx.publicKey == "key")
        #expect(accounts.twilio.api == "https://api.twilio.com")
    }

    @Test func `tools, sub-agents and agents are read`() throws {
        let settings = try SettingsFile.parse(
            """
            agent: {name: desk, tools: [book], hands_over_to: [billing], can_hang_up: true}
            tools:
            - name: book
              description: Books.
              url: https://example.org/{room}
              headers: {Authorization: "Bearer ${KEY}"}
              parameters:
                type: object
                required: [room]
                properties:
                  room: {type: string, enum: ["1", two]}
                  people: {type: integer, minimum: 1}
              has_effects: false
              timeout_ms: 2500
              interruption: keep
              filler: One moment.
            - {name: search, url: "http://127.0.0.1:1/", background: true, progress: next_turn, result: interrupt}
            sub_agents:
            - {name: research, description: Finds out., system_prompt: Be thorough., tools: [book], reasoning: 64}
            agents:
            - {name: billing, description: Bills., system_prompt: You are billing., voice: rms, tools: []}
            """,
            name: "x"
        )
        #expect(settings.conversation.canHangUp && settings.conversation.successors == ["billing"])
        #expect(settings.agentTools == ["book"])
        let book = try settings.tools[0].tool(environment: ["KEY": "secret"])
        #expect(
            book.policy
                == ToolPolicy(
                    hasEffects: false,
                    timeout: .milliseconds(2500),
                    interruption: .keep,
                    filler: "One moment."
                )
        )
        let parameters = book.declaration.parameters.source
        #expect(parameters["properties"]?["room"]?["enum"] == .array(["1", "two"]), "what is quoted is a text")
        #expect(parameters["properties"]?["people"]?["minimum"] == 1)
        #expect(settings.tools[1].policy.background == BackgroundPolicy(progress: .nextTurn, result: .interrupt))
        #expect(settings.subAgents[0].reasoning == .budget(64))
        #expect(settings.agents[0].voice == "rms" && settings.agents[0].tools == [])
        let error = #expect(throws: VoiceError.self) { try settings.tools[0].tool(environment: [:]) }
        #expect(error?.message.contains("KEY is not set") == true && error?.code == .unavailable)
    }

    @Test(arguments: [
        ("{name: a b, url: http://x/}", "cannot be called 'a b'"), ("{name: a, url: x}", "is not the address"),
        ("{name: a, url: 'http://x/{id}'}", "do not require"),
        ("{name: a, url: http://x/, parameters: {type: array}}", "no schema of an object"),
    ])
    func `a tool that cannot be is refused with its place`(yaml: String, message: String) throws {
        let settings = try SettingsFile.parse("tools:\n- \(yaml)", name: "my.yaml")
        let error = #expect(throws: VoiceError.self) { try settings.tools[0].tool(environment: [:]) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("my.yaml, line 2: 'tools[0]'") == true)
        #expect(error?.code == .malformedInput)
    }

    @Test func `an empty file is the defaults`() throws {
        #expect(try SettingsFile.parse("", name: "x").port == 7860)
        #expect(try SettingsFile.parse("# nothing\nserver:\n", name: "x").port == 7860)
    }

    @Test(arguments: [
        ("agent:\n  greting: hi", "line 2: 'agent.greting' is not a setting; did you mean 'agent.greeting'?"),
        ("langage_model:\n  seed: 1", "did you mean 'language_model.seed'?"),
        ("server:\n  port: lots", "'server.port' must be a whole number from 0 to 65535"),
        ("server:\n  port: 70000", "'server.port' must be a whole number from 0 to 65535"),
        ("agent: hello", "'agent' is not a setting"),
        ("just text", "must hold 'key: value' lines"),
        ("a: [1,", "is not YAML"),
        ("turn_taking:\n  stop_ms: -5", "'turn_taking.stop_ms' must be a whole number from 64 to 5000"),
        ("turn_taking:\n  policy: bold", "'turn_taking.policy' must be one of reference, interleaved, speculative"),
        (
            "turn_taking:\n  endpointing: clever",
            "line 2: 'turn_taking.endpointing' must be one of adaptive, verdict, silence"
        ),
        ("turn_taking:\n  earliest_ms: 100", "'turn_taking.earliest_ms' must be a whole number from 160 to 60000"),
        (
            "turn_taking:\n  normal_ms: 4000",
            "'turn_taking.earliest_ms', 'normal_ms' and 'longest_ms' must rise, but are 160, 4000, 2000"
        ),
        ("tools:\n- url: http://x/", "line 2: 'tools[0]' needs 'name'"),
        (
            "tools:\n- {name: a, url: http://x/, metod: GET}",
            "'tools[0].metod' is not a setting; did you mean 'method'?"
        ),
        (
            "tools:\n- {name: a, url: http://x/, result: silent}",
            "'tools[0].result' is for tools with 'background: true'"
        ),
        ("tools: {name: a}", "'tools.name' is not a setting"),
        ("agents:\n- name: a\n  description: b", "'agents[0]' needs 'system_prompt'"),
        (
            "sub_agents:\n- {name: a, description: b, system_prompt: c, result: soon}",
            "must be one of silent, next_turn"
        ),
        ("agent:\n  interruptible: maybe", "'agent.interruptible' must be true or false"),
    ])
    func `a wrong file is refused with its place and what to do`(yaml: String, message: String) throws {
        let error = #expect(throws: VoiceError.self) { try SettingsFile.parse(yaml, name: "my.yaml") }
        let found = try #require(error)
        #expect(found.message.contains(message), "\(found.message)")
        #expect(found.message.contains("my.yaml"))
        #expect(found.code == .malformedInput)
    }

    @Test(
        arguments: [
            ("", .adaptive(AdaptiveWait())), ("endpointing: adaptive", .adaptive(AdaptiveWait())),
            ("endpointing: verdict", .verdict(complete: 0.5, timeout: .seconds(3))),
            (
                "incomplete_timeout_ms: 2000, complete_probability: 0.7, endpointing: verdict",
                .verdict(complete: 0.7, timeout: .seconds(2))
            ),
            ("endpointing: silence, silence_ms: 500", .silence(.milliseconds(500))),
        ] as [(String, EndpointPolicy)]
    )
    func `the rule for the end of a turn is chosen by name`(yaml: String, policy: EndpointPolicy) throws {
        let settings = try SettingsFile.parse("turn_taking: {\(yaml)}", name: "x")
        #expect(settings.conversation.turnTaking.endpointing == policy)
    }

    @Test func `the adaptive waits are read`() throws {
        let yaml = "turn_taking: {longest_ms: 2500, earliest_ms: 200, normal_ms: 600}"
        var wait = AdaptiveWait()
        (wait.earliest, wait.normal, wait.longest) = (.milliseconds(200), .milliseconds(600), .milliseconds(2500))
        let settings = try SettingsFile.parse(yaml, name: "x")
        #expect(settings.conversation.turnTaking.endpointing == .adaptive(wait))
    }

    @Test func `the language model need not read along`() throws {
        #expect(try SettingsFile.parse("", name: "x").conversation.readsWords)
        let settings = try SettingsFile.parse("turn_taking: {read_words: false}", name: "x")
        #expect(!settings.conversation.readsWords)
    }

    @Test func `a file that is not there is missing input`() {
        let error = #expect(throws: VoiceError.self) { try SettingsFile.read(path: "/nowhere/at/all.yaml") }
        #expect(error?.code == .missingInput)
    }
}
