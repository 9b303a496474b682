internal import LanguageModels
internal import Conversation
internal import Foundation
internal import VoiceCore
internal import VoiceServer
internal import YAMLReading
internal import Yams

/// Reads settings from YAML. A key that does not exist is an error that names the nearest one that does.
enum SettingsFile {
    /// One setting: where it stands in the file, and how its value is taken.
    private struct Key {
        var path: String
        var apply: (inout Settings, SettingsValue) throws(VoiceError) -> Void

        init(_ path: String, _ apply: @escaping (inout Settings, SettingsValue) throws(VoiceError) -> Void) {
            self.path = path
            self.apply = apply
        }
    }

    /// All settings, in the order of `docs/configuration.md`.
    private static var keys: [Key] {
        [
            Key("agent.system_prompt") { s, v throws(VoiceError) in s.conversation.systemPrompt = try v.text() },
            Key("agent.greeting") { s, v throws(VoiceError) in s.conversation.greeting = try v.text() },
            Key("agent.return_greeting") { s, v throws(VoiceError) in
                s.conversation.returnGreeting = try v.text()
            },
            Key("agent.apology") { s, v throws(VoiceError) in s.conversation.apology = try v.text() },
            Key("agent.filler") { s, v throws(VoiceError) in s.filler = try v.text() },
            Key("agent.interruptible") { s, v throws(VoiceError) in
                s.interruption.isAllowed = try v.flag()
            },
            Key("agent.name") { s, v throws(VoiceError) in s.conversation.name = try v.text() },
            Key("agent.description") { s, v throws(VoiceError) in s.conversation.description = try v.text() },
            Key("agent.tools") { s, v throws(VoiceError) in s.agentTools = try v.texts() },
            Key("agent.hands_over_to") { s, v throws(VoiceError) in s.conversation.successors = try v.texts() },
            Key("agent.can_hang_up") { s, v throws(VoiceError) in s.conversation.canHangUp = try v.flag() },
            Key("tools") { s, v throws(VoiceError) in
                for element in try v.elements() { s.tools.append(try ToolSettings(element)) }
            },
            Key("mcp_servers") { s, v throws(VoiceError) in
                for element in try v.elements() { s.mcpServers.append(try MCPSettings(element)) }
            },
            Key("sub_agents") { s, v throws(VoiceError) in
                for element in try v.elements() { s.subAgents.append(try SubAgentSettings(element)) }
            },
            Key("agents") { s, v throws(VoiceError) in
                for element in try v.elements() { s.agents.append(try AgentSettings(element)) }
            },
            Key("language_model.model") { s, v throws(VoiceError) in s.languageModel = try v.text() },
            Key("language_model.url") { s, v throws(VoiceError) in s.languageModelURLs = try v.addresses() },
            Key("language_model.api_key") { s, v throws(VoiceError) in s.languageModelKey = try v.text() },
            Key("language_model.prefill") { s, v throws(VoiceError) in s.languageModelPrefills = try v.flag() },
            Key("language_model.fallback") { s, v throws(VoiceError) in s.languageModelFallback = try v.text() },
            Key("language_model.threads") { s, v throws(VoiceError) in
                s.languageModelConfiguration.threads = try v.count(1...256)
            },
            Key("language_model.context_length") { s, v throws(VoiceError) in
                s.languageModelConfiguration.contextLength = try v.count(256...1_048_576)
            },
            Key("language_model.temperature") { s, v throws(VoiceError) in
                s.conversation.sampling.temperature = Float(try v.number(0...5))
            },
            Key("language_model.top_k") { s, v throws(VoiceError) in
                s.conversation.sampling.topK = try v.count(0...1_000_000)
            },
            Key("language_model.top_p") { s, v throws(VoiceError) in
                s.conversation.sampling.topP = Float(try v.number(0...1))
            },
            Key("language_model.min_p") { s, v throws(VoiceError) in
                s.conversation.sampling.minP = Float(try v.number(0...1))
            },
            Key("language_model.repeat_penalty") { s, v throws(VoiceError) in
                s.conversation.sampling.repeatPenalty = Float(try v.number(0.1...10))
            },
            Key("language_model.seed") { s, v throws(VoiceError) in
                s.conversation.sampling.seed = UInt32(try v.count(0...Int(UInt32.max)))
            },
            Key("language_model.max_tokens") { s, v throws(VoiceError) in
                s.conversation.sampling.maxTokens = try v.count(1...100_000)
            },
            Key("language_model.reasoning") { s, v throws(VoiceError) in
                s.conversation.reasoning = try v.reasoning(atMost: 1_000_000)
            },
            Key("language_model.warm_start") { s, v throws(VoiceError) in s.warmStart.isOn = try v.flag() },
            Key("language_model.warm_start_folder") { s, v throws(VoiceError) in s.warmStart.folder = try v.text() },
            Key("language_model.warm_start_mb") { s, v throws(VoiceError) in
                s.warmStart.megabytes = try v.count(1...1_048_576)
            },
            Key("recognizer.model") { s, v throws(VoiceError) in s.recognizer = try v.text() },
            Key("recognizer.url") { s, v throws(VoiceError) in s.recognizerURLs = try v.addresses() },
            Key("recognizer.threads") { s, v throws(VoiceError) in s.recognizerThreads = try v.count(1...256) },
            Key("recognizer.lookahead") { s, v throws(VoiceError) in
                s.conversation.recognition.lookahead = try v.count(0...64)
            },
            Key("recognizer.language") { s, v throws(VoiceError) in
                s.conversation.recognition.language = try v.text()
            },
            Key("recognizer.phrases") { s, v throws(VoiceError) in
                s.conversation.recognition.phrases = try v.texts()
            },
            Key("recognizer.phrase_boost") { s, v throws(VoiceError) in
                s.conversation.recognition.phraseBoost = Float(try v.number(0...10))
            },
            Key("voice.name") { s, v throws(VoiceError) in s.voice.name = try v.text() },
            Key("voice.url") { s, v throws(VoiceError) in s.voice.urls = try v.addresses() },
            Key("voice.model") { s, v throws(VoiceError) in s.voice.model = try v.text() },
            Key("voice.codec") { s, v throws(VoiceError) in s.voice.codec = try v.text() },
            Key("voice.pronunciations") { s, v throws(VoiceError) in s.voice.pronunciations = try v.text() },
            Key("voice.language") { s, v throws(VoiceError) in s.voice.language = try v.text() },
            Key("voice.lexicon") { s, v throws(VoiceError) in s.voice.lexicon = try v.text() },
            Key("voice.threads") { s, v throws(VoiceError) in s.voice.threads = try v.count(1...256) },
            Key("turn_taking.policy") { s, v throws(VoiceError) in
                s.conversation.policy = try v.choice(ReplyPolicy.self)
            },
            Key("turn_taking.drafts_per_turn") { s, v throws(VoiceError) in
                s.conversation.draftsPerTurn = try v.count(0...10)
            },
            Key("turn_taking.speech_probability") { s, v throws(VoiceError) in
                s.conversation.voiceActivity.threshold = Float(try v.number(0...1))
            },
            Key("turn_taking.start_ms") { s, v throws(VoiceError) in
                s.conversation.voiceActivity.start = try v.milliseconds(32...2000)
            },
            Key("turn_taking.interrupt_ms") { s, v throws(VoiceError) in
                s.conversation.voiceActivity.startWhileSpeaking = try v.milliseconds(32...5000)
            },
            Key("turn_taking.interruption") { s, v throws(VoiceError) in
                s.interruption.rule = try v.choice(InterruptionSettings.Rule.self)
            },
            Key("turn_taking.back_channel") { s, v throws(VoiceError) in
                s.interruption.considered.backChannel = BackChannel(try v.texts())
            },
            Key("turn_taking.longest_interjection_ms") { s, v throws(VoiceError) in
                s.interruption.considered.longest = try v.milliseconds(100...10_000)
            },
            Key("turn_taking.pauses_per_reply") { s, v throws(VoiceError) in
                s.interruption.considered.pausesPerReply = try v.count(0...1000)
            },
            Key("turn_taking.interrupt_probability") { s, v throws(VoiceError) in
                s.conversation.voiceActivity.thresholdWhileSpeaking = Float(try v.number(0...1))
            },
            Key("turn_taking.judge_after_ms") { s, v throws(VoiceError) in
                s.conversation.voiceActivity.hush = try v.milliseconds(32...5000)
            },
            Key("turn_taking.stop_ms") { s, v throws(VoiceError) in
                s.conversation.voiceActivity.stop = try v.milliseconds(64...5000)
            },
            Key("turn_taking.endpointing") { s, v throws(VoiceError) in
                s.endpointing.rule = try v.choice(EndpointSettings.Rule.self)
            },
            Key("turn_taking.earliest_ms") { s, v throws(VoiceError) in
                s.endpointing.adaptive.earliest = try v.milliseconds(160...60_000)
            },
            Key("turn_taking.normal_ms") { s, v throws(VoiceError) in
                s.endpointing.adaptive.normal = try v.milliseconds(160...60_000)
            },
            Key("turn_taking.longest_ms") { s, v throws(VoiceError) in
                s.endpointing.adaptive.longest = try v.milliseconds(160...60_000)
            },
            Key("turn_taking.read_words") { s, v throws(VoiceError) in
                s.conversation.readsWords = try v.flag()
            },
            Key("turn_taking.complete_probability") { s, v throws(VoiceError) in
                s.endpointing.completeProbability = Float(try v.number(0...1))
            },
            Key("turn_taking.incomplete_timeout_ms") { s, v throws(VoiceError) in
                s.endpointing.incompleteTimeout = try v.milliseconds(100...60_000)
            },
            Key("turn_taking.silence_ms") { s, v throws(VoiceError) in
                s.endpointing.silence = try v.milliseconds(100...60_000)
            },
            Key("turn_taking.echo_cancellation") { s, v throws(VoiceError) in
                s.conversation.cancelsEcho = try v.flag()
            },
            Key("playout.lead_ms") { s, v throws(VoiceError) in
                s.conversation.playoutLead = try v.milliseconds(20...100)
            },
            Key("server.host") { s, v throws(VoiceError) in s.host = try v.text() },
            Key("server.port") { s, v throws(VoiceError) in s.port = try v.count(0...65_535) },
            Key("server.max_sessions") { s, v throws(VoiceError) in s.maxSessions = try v.count(1...10_000) },
            Key("server.allowed_origins") { s, v throws(VoiceError) in s.allowedOrigins = try v.texts() },
            Key("server.public_url") { s, v throws(VoiceError) in s.publicURL = try v.text() },
            Key("server.max_load") { s, v throws(VoiceError) in s.door.maxLoad = try v.number(0.1...1) },
            Key("server.api_keys") { s, v throws(VoiceError) in
                for element in try v.elements() { s.door.keys.append(try DoorSettings.Key(element)) }
            },
            Key("server.token_secret") { s, v throws(VoiceError) in s.door.tokenSecret = try v.text() },
            Key("server.tls_certificate") { s, v throws(VoiceError) in s.door.certificate = try v.text() },
            Key("server.tls_key") { s, v throws(VoiceError) in s.door.certificateKey = try v.text() },
            Key("server.drain_timeout_s") { s, v throws(VoiceError) in
                s.door.drainTimeout = .seconds(try v.count(0...86_400))
            },
            Key("server.goodbye") { s, v throws(VoiceError) in s.door.goodbye = try v.text() },
            Key("cluster.redis") { s, v throws(VoiceError) in s.door.redis = try v.text() },
            Key("cluster.prefix") { s, v throws(VoiceError) in s.door.redisPrefix = try v.text() },
            Key("cluster.worker") { s, v throws(VoiceError) in s.door.worker = try v.text() },
            Key("cluster.address") { s, v throws(VoiceError) in s.door.workerAddress = try v.text() },
            Key("cluster.secret") { s, v throws(VoiceError) in s.door.clusterSecret = try v.text() },
            Key("webrtc.enabled") { s, v throws(VoiceError) in s.servesWebRTC = try v.flag() },
            Key("webrtc.port") { s, v throws(VoiceError) in s.webRTC.port = try v.count(0...65_535) },
            Key("webrtc.public_addresses") { s, v throws(VoiceError) in s.webRTC.publicAddresses = try v.texts() },
            Key("webrtc.packet_ms") { s, v throws(VoiceError) in
                s.webRTC.packet = try v.choice(Settings.PacketLength.self).duration
            },
            Key("webrtc.ice_servers") { s, v throws(VoiceError) in s.iceServers = try v.texts() },
            Key("webrtc.ice_username") { s, v throws(VoiceError) in s.iceUsername = try v.text() },
            Key("webrtc.ice_credential") { s, v throws(VoiceError) in s.iceCredential = try v.text() },
            Key("pipecat.sample_rate") { s, v throws(VoiceError) in
                s.pipecatRate = try v.choice(Settings.PipecatRate.self)
            },
            Key("telephony.busy_sentence") { s, v throws(VoiceError) in s.door.busySentence = try v.text() },
            Key("telephony.twilio_account_sid") { s, v throws(VoiceError) in
                s.telephony.twilio.account = try v.text()
            },
            Key("telephony.twilio_auth_token") { s, v throws(VoiceError) in s.telephony.twilio.token = try v.text() },
            Key("telephony.twilio_api_url") { s, v throws(VoiceError) in s.telephony.twilio.api = try v.text() },
            Key("telephony.telnyx_api_key") { s, v throws(VoiceError) in s.telephony.telnyx.key = try v.text() },
            Key("telephony.telnyx_public_key") { s, v throws(VoiceError) in
                s.telephony.telnyx.publicKey = try v.text()
            },
            Key("telephony.telnyx_api_url") { s, v throws(VoiceError) in s.telephony.telnyx.api = try v.text() },
            Key("telephony.plivo_auth_id") { s, v throws(VoiceError) in s.telephony.plivo.account = try v.text() },
            Key("telephony.plivo_auth_token") { s, v throws(VoiceError) in s.telephony.plivo.token = try v.text() },
            Key("telephony.plivo_api_url") { s, v throws(VoiceError) in s.telephony.plivo.api = try v.text() },
        ]
    }

    /// The paths of all settings.
    static var paths: [String] { keys.map(\.path) }

    /// Reads a file.
    /// - Throws: ``VoiceError/Code/missingInput`` when it cannot be read, ``VoiceError/Code/malformedInput`` when it is
    ///   not YAML, has a key that does not exist, or a value of the wrong kind.
    static func read(path: String) throws(VoiceError) -> Settings {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw VoiceError(.missingInput, "the configuration file \(path) cannot be read")
        }
        return try parse(String(decoding: data, as: UTF8.self), name: path)
    }

    /// Reads YAML text; `name` is used in errors.
    static func parse(_ text: String, name: String) throws(VoiceError) -> Settings {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw VoiceError(.malformedInput, "\(name) is not YAML: \(error)")
        }
        var settings = Settings()
        guard let root, root != Node("") else { return settings }
        for value in try flatten(root, path: "", name: name) {
            guard let key = keys.first(where: { $0.path == value.path }) else { throw unknown(value) }
            try key.apply(&settings, value)
        }
        settings.conversation.turnTaking.interruption = settings.interruption.policy
        do { settings.conversation.turnTaking.endpointing = try settings.endpointing.policy() } catch {
            throw VoiceError(.malformedInput, "\(name): \(error.message)")
        }
        return settings
    }

    /// The values of a tree of mappings, with their paths.
    private static func flatten(_ node: Node, path: String, name: String) throws(VoiceError) -> [SettingsValue] {
        guard let mapping = node.mapping else {
            if path.isEmpty { throw VoiceError(.malformedInput, "\(name) must hold 'key: value' lines") }
            return [SettingsValue(path: path, node: node, file: name)]
        }
        var values: [SettingsValue] = []
        for (key, child) in mapping {
            let step = key.scalar?.string ?? "?"
            let childPath = path.isEmpty ? step : "\(path).\(step)"
            // A group without content is a group all the same.
            if child == Node("") || child.null != nil, keys.contains(where: { $0.path.hasPrefix(childPath + ".") }) {
                continue
            }
            values += try flatten(child, path: childPath, name: name)
        }
        return values
    }

    private static func unknown(_ value: SettingsValue) -> VoiceError {
        let nearest = Spelling.nearest(to: value.path, among: keys.map(\.path)) ?? ""
        return VoiceError(.malformedInput, "\(value.place) is not a setting; did you mean '\(nearest)'?")
    }
}
