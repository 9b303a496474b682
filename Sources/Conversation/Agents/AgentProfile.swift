public import VoiceCore

/// One of several agents that a conversation can be handed to: who it is and what it can do. The conversation so far goes
/// with the person.
public struct AgentProfile: Sendable {
    /// What others call it by: 1 to 40 letters, digits, `_` and `-`; unlike that of all other agents of the conversation.
    public var name: String
    /// What it is for, for the agents that may hand over to it.
    public var description: String
    /// Its instructions, in the place of those of the agent before.
    public var systemPrompt: String
    /// What it can do besides speaking.
    public var tools: [any Tool]
    /// What it can have done while it speaks.
    public var backgroundTools: [any BackgroundTool]
    /// Its voice; nil for the conversation's.
    public var synthesizer: (any SpeechSynthesizer)?
    /// Agents that it may hand over to; nil for all others.
    public var successors: [String]?

    /// Makes a profile.
    public init(
        name: String,
        description: String,
        systemPrompt: String,
        tools: [any Tool] = [],
        backgroundTools: [any BackgroundTool] = [],
        synthesizer: (any SpeechSynthesizer)? = nil,
        successors: [String]? = nil
    ) {
        self.name = name
        self.description = description
        self.systemPrompt = systemPrompt
        self.tools = tools
        self.backgroundTools = backgroundTools
        self.synthesizer = synthesizer
        self.successors = successors
    }
}
