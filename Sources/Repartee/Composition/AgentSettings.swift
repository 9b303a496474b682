internal import VoiceCore
internal import YAMLReading

/// Another agent that the conversation can be handed to: an element of `agents`.
struct AgentSettings: Sendable {
    private static let keys = ["name", "description", "system_prompt", "voice", "tools", "hands_over_to"]

    var name: String
    var description: String
    var systemPrompt: String
    /// The name of its voice; nil for the conversation's.
    var voice: String?
    /// The names of its tools; nil for all.
    var tools: [String]?
    /// Agents that it may hand over to; nil for all others.
    var successors: [String]?
    /// Where it stands, for errors.
    var place: String

    init(_ value: SettingsValue) throws(VoiceError) {
        let fields = try SettingsObject(value, keys: Self.keys)
        place = value.place
        name = try fields.required("name").text()
        description = try fields.required("description").text()
        systemPrompt = try fields.required("system_prompt").text()
        voice = try fields.take("voice") { field throws(VoiceError) in try field.text() }
        tools = try fields.take("tools") { field throws(VoiceError) in try field.texts() }
        successors = try fields.take("hands_over_to") { field throws(VoiceError) in try field.texts() }
    }
}

/// A language model that works on tasks in the background: an element of `sub_agents`.
struct SubAgentSettings: Sendable {
    private static let keys = [
        "name", "description", "system_prompt", "model", "url", "api_key", "tools", "reasoning", "max_tokens",
        "has_effects",
        "timeout_ms", "progress", "result",
    ]

    var name: String
    var description: String
    var systemPrompt: String
    /// The model in process, or its name on the server; nil for the conversation's, and for the server's first.
    var model: String?
    /// The address of a server of language models; nil for a model in process.
    var url: String?
    /// What is said to that server; may hold `${NAME}`.
    var key: String?
    /// The names of its tools; none unless some are named.
    var tools: [String]
    var reasoning: Reasoning
    /// Of each of its answers.
    var maxTokens: Int
    var policy: BackgroundPolicy
    /// Where it stands, for errors.
    var place: String

    init(_ value: SettingsValue) throws(VoiceError) {
        let fields = try SettingsObject(value, keys: Self.keys)
        place = value.place
        name = try fields.required("name").text()
        description = try fields.required("description").text()
        systemPrompt = try fields.required("system_prompt").text()
        model = try fields.take("model") { field throws(VoiceError) in try field.text() }
        url = try fields.take("url") { field throws(VoiceError) in try field.text() }
        key = try fields.take("api_key") { field throws(VoiceError) in try field.text() }
        tools = try fields.take("tools") { field throws(VoiceError) in try field.texts() } ?? []
        reasoning =
            try fields.take("reasoning") { field throws(VoiceError) in try field.reasoning(atMost: 1_000_000) } ?? .off
        maxTokens = try fields.take("max_tokens") { field throws(VoiceError) in try field.count(1...100_000) } ?? 1024
        let policy = try ToolPolicySettings(fields, isJob: true)
        self.policy = policy.background
        // What only thinks changes nothing.
        self.policy.hasEffects = policy.hasEffects ?? false
    }
}
