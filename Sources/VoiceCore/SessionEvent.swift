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
    /// A user turn ended without a reply, and why.
    case turnDropped(turn: Int, reason: String)
    /// The measurements of a finished turn.
    case turnReport(TurnReport)
    /// Something failed; the session goes on unless the transport closes after it.
    case error(code: String, message: String)
}
