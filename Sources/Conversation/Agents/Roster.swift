internal import VoiceCore

/// The agents of a conversation.
struct Roster: Sendable {
    /// An agent, as replies need it.
    struct Agent: Sendable {
        let name: String
        let systemPrompt: String
        let tools: ToolBox
        let synthesizer: any SpeechSynthesizer
        /// The name of the tool that ends the conversation; nil if it cannot.
        fileprivate let hangUp: String?
        /// Whom it hands over to, by the names of the tools that do it.
        fileprivate let successors: [String: String]

        /// The agent that a call hands the conversation to; nil if it does something else.
        func successor(_ call: ToolCall) -> String? { successors[call.name] }

        /// Whether a call ends the conversation.
        func hangsUp(_ call: ToolCall) -> Bool { call.name == hangUp }
    }

    /// Who begins.
    let first: Agent
    private let others: [String: Agent]

    /// The agent with this name; the first one for a name that nobody has.
    subscript(name: String) -> Agent { others[name] ?? first }

    /// Who has the conversation after these messages: they have every hand-over that was made.
    func agent(after messages: [ChatMessage]) -> Agent {
        var agent = first
        var calls: [String: String] = [:]
        for message in messages {
            for call in message.toolCalls { calls[call.id] = agent.successor(call) }
            guard let name = message.toolCallID.flatMap({ calls[$0] }) else { continue }
            if message.content == HandOver.result(to: name) { agent = self[name] }
        }
        return agent
    }

    /// - Parameters:
    ///   - synthesizer: the voice of those who have none of their own.
    ///   - jobs: where background tools are started.
    /// - Throws: ``VoiceError/Code/usage`` if a name is none, or is used twice, or names nobody.
    init(
        _ configuration: ConversationConfiguration,
        synthesizer: any SpeechSynthesizer,
        jobs: JobRunner
    ) throws(VoiceError) {
        let profiles = [configuration.profile] + configuration.colleagues
        try Self.check(profiles)
        let descriptions = Dictionary(profiles.map { ($0.name, $0.description) }) { first, _ in first }
        let hangUp: [any Tool] = configuration.canHangUp ? [try HangUp()] : []
        func agent(_ profile: AgentProfile) throws(VoiceError) -> Agent {
            let names = profile.successors ?? profiles.map(\.name).filter { $0 != profile.name }
            var handOvers: [HandOver] = []
            for name in names {
                guard let description = descriptions[name], name != profile.name else {
                    throw VoiceError(
                        .usage,
                        "Agent '\(profile.name)' cannot hand over to '\(name)': there is no other agent of that name."
                    )
                }
                handOvers.append(try HandOver(to: name, description))
            }
            return Agent(
                name: profile.name,
                systemPrompt: profile.systemPrompt,
                tools: ToolBox(try profile.tools + jobs.tools(starting: profile.backgroundTools) + handOvers + hangUp),
                synthesizer: profile.synthesizer ?? synthesizer,
                hangUp: hangUp.first?.declaration.name,
                successors: Dictionary(zip(handOvers.map(\.declaration.name), names)) { first, _ in first }
            )
        }
        first = try agent(configuration.profile)
        var rest: [String: Agent] = [:]
        for profile in configuration.colleagues { rest[profile.name] = try agent(profile) }
        others = rest
    }

    private static func check(_ profiles: [AgentProfile]) throws(VoiceError) {
        var seen: Set<String> = []
        for profile in profiles {
            let isName =
                (1...40).contains(profile.name.utf8.count)
                && profile.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
            guard isName else {
                throw VoiceError(
                    .usage,
                    "An agent cannot be called '\(profile.name.prefix(80))'. Use 1 to 40 letters, digits, '_' and '-'."
                )
            }
            guard seen.insert(profile.name).inserted else {
                throw VoiceError(.usage, "Two agents are called '\(profile.name)'. Give each a name of its own.")
            }
        }
    }
}

/// Ends the conversation once the answer that calls it was heard.
struct HangUp: Tool {
    let declaration: ToolDeclaration
    let policy = ToolPolicy(interruption: .keep)

    init() throws(VoiceError) {
        declaration = try ToolDeclaration(
            name: "hang_up",
            description:
                "Ends the conversation, when the person has said goodbye or wants nothing more. Say goodbye first."
        )
    }

    func call(_ arguments: JSONObject) async throws -> String { "The conversation ends when you have spoken." }
}

/// Hands the conversation over. What it takes is done by whoever sees the call succeed.
struct HandOver: Tool {
    let declaration: ToolDeclaration
    /// It changes who speaks, and is done at once.
    let policy = ToolPolicy(interruption: .keep)
    private let name: String

    init(to name: String, _ description: String) throws(VoiceError) {
        self.name = name
        declaration = try ToolDeclaration(
            name: "transfer_to_\(name)",
            description: "Hands the conversation over to the agent \(name). \(description)".trimmed
        )
    }

    func call(_ arguments: JSONObject) async throws -> String { Self.result(to: name) }

    /// What the agent is told who has it from then on.
    static func result(to name: String) -> String {
        "The conversation was handed over. You are \(name) from now on: go on with what the person wants."
    }
}
