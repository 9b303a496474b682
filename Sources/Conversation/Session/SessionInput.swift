internal import VoiceCore

/// Everything that can happen in a session, in the order in which its task handles it.
enum SessionInput: Sendable {
    /// An event of turn taking.
    case turn(TurnMachine.Event)
    /// A typed message to be answered in writing.
    case question(String)
    /// A typed message that is to be remembered.
    case note(String)
    /// A new partial transcript of the running utterance.
    case partial(String)
    /// The transcript that the turn would have if it were over; nil when the recogniser failed or cannot tell.
    case draftTranscript(request: Int, text: String?)
    /// The final transcript of a turn; nil when the recogniser failed.
    case transcript(turn: Int, text: String?)
    /// A job in the background has news.
    case jobNews
    /// The person wants a job to be stopped.
    case cancelJob(String)
    /// The server wants the conversation to end with these words.
    case farewell(String)
    /// Something happened at the loudspeaker.
    case playout(Playout.Event)
    /// A reply came a step further.
    case reply(epoch: Int, ReplyStep)
    /// An engine failed.
    case failure(VoiceError)
}

/// A step of a reply on its way to the loudspeaker, with its time on the session's clock.
enum ReplyStep: Sendable {
    /// How likely the words that are answered are all that the person wants to say.
    case completeness(Float)
    case firstToken(Duration)
    /// The model said a piece of text.
    case text(String)
    /// A clause goes to the voice, or is only written.
    case clause(String)
    case firstSegment(Duration)
    case firstAudio(Duration)
    /// The model makes calls: what was said before them is on its way.
    case calls(ToolRound)
    case toolBegan(ToolCall)
    /// A call of this agent ended; perhaps long after its reply.
    case toolEnded(ToolCall, ToolOutcome, agent: String)
    /// The model has generated so many tokens for this reply and will generate no more.
    case computed(tokens: Int)
    /// The model has said all it has to say.
    case generated(ReplyUsage)
    /// All that will be heard of the reply was made.
    case completed
    /// The reply failed; what was spoken stays.
    case failed(VoiceError)
}
