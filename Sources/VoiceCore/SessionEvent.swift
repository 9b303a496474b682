/// News of a conversation, for a page or an app. The JSON form is in `docs/protocol.md`.
public enum SessionEvent: Sendable, Equatable {
    /// The person began or ended to speak (voice activity, not yet a finished turn).
    case userSpeaking(Bool)
    /// The agent's voice began or ended.
    case agentSpeaking(Bool)
    /// What was understood of the running user turn.
    case userTranscript(turn: Int, text: String, isFinal: Bool)
    /// What the agent says in this turn: `heard` has been heard, `pending` is still to come.
    ///
    /// With `isFinal` the message is closed: `heard` is what stays in the context; `interrupted` tells that it was cut.
    case agentTranscript(turn: Int, heard: String, pending: String, isFinal: Bool, interrupted: Bool)
    /// A reply that will be heard came a step further on its way through the engines. Nothing is told of drafts that were
    /// thrown away.
    case reply(turn: Int, ReplyStage)
    /// A user turn ended without a reply, and why.
    case turnDropped(turn: Int, reason: String)
    /// The measurements of a finished turn.
    case turnReport(TurnReport)
    /// A job in the background began, came further or ended.
    case job(JobReport)
    /// Another agent has the conversation from now on.
    case handedOver(to: String)
    /// Something failed; the session goes on unless the transport closes after it.
    case error(code: String, message: String)
}

/// A step of a reply on its way through the engines.
public enum ReplyStage: Sendable, Equatable {
    /// The language model was asked.
    case modelBegan
    /// The language model said a piece of text.
    case text(String)
    /// The language model has said all it has to say, or was stopped.
    case modelEnded
    /// This clause goes to the voice, or is only written. Clauses follow one another without gap.
    case clause(String, isSpoken: Bool)
    /// All audio of the reply was made, or its making was stopped.
    case voiceEnded
    /// A tool is called.
    case toolBegan(ToolCall)
    /// A tool's call ended.
    case toolEnded(ToolCall, ToolOutcome)
}
