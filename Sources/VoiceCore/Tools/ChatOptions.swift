/// What a reply may do besides speaking.
public struct ChatOptions: Sendable, Equatable {
    /// The tools that the model may call, in the order in which it is told of them.
    public var tools: [ToolDeclaration]
    /// Whether it thinks before it speaks.
    public var reasoning: Reasoning
    /// Whether the reply also tells how likely the user's last message is complete, where the model can:
    /// ``ReplyEvent/completeness(_:)``.
    public var judgesCompleteness = false
    /// Whether the conversation ends with the beginning of an assistant's message and the reply is the rest of it, without a seam:
    /// for a reply that broke off. Asked for only where the model can, ``LanguageModel/continuesMessages``. Nothing is thought then.
    public var continuesLastMessage = false

    /// Makes options; without any a reply only speaks.
    public init(tools: [ToolDeclaration] = [], reasoning: Reasoning = .off) {
        self.tools = tools
        self.reasoning = reasoning
    }

    /// Refuses to do more than to speak: for models that have neither tools nor reasoning. One that does not judge messages
    /// is not asked to.
    /// - Throws: ``VoiceError/Code/usage`` if the options ask for either, or for the rest of a message.
    public func requireNothing() throws(VoiceError) {
        try requireNewMessage()
        guard !tools.isEmpty || reasoning != .off else { return }
        throw VoiceError(.usage, "This language model has neither tools nor reasoning. Ask for a reply without them.")
    }

    /// Refuses to go on with a message: for models that only begin new ones.
    /// - Throws: ``VoiceError/Code/usage`` if the options ask for that.
    public func requireNewMessage() throws(VoiceError) {
        guard continuesLastMessage else { return }
        throw VoiceError(.usage, "This language model cannot go on with a message. Ask it for a new one.")
    }
}

/// Whether a model thinks before it speaks. What it thinks is never spoken.
public enum Reasoning: Sendable, Equatable {
    /// It answers at once.
    case off
    /// It thinks for as long as it wants.
    case on
    /// It thinks for at most so many tokens; then its thoughts are ended and it answers.
    case budget(Int)
}
