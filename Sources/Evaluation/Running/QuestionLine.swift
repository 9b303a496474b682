internal import VoiceCore

/// The person's side of a scenario: a transport on which questions are asked one after the other.
protocol QuestionLine: Transport {
    /// Asks a question; what comes of it goes into the mailbox that the line was made with.
    func ask(_ text: String) async throws(VoiceError)
    /// Stops waiting for the answer.
    func giveUp()
    /// Ends the conversation.
    func hangUp()
}

/// What a line tells.
enum LineEvent: Sendable {
    /// The agent listens: the conversation's own tasks keep track of time from now on.
    case began
    /// News of the turn that is asked.
    case news(SessionEvent, at: Duration)
    /// The turn is over.
    case settled(at: Duration)
    /// The answer to this question is late.
    case late(question: Int)
    /// The answer to this question will not come.
    case lost(question: Int)
    /// The conversation has ended; the failure if it could not begin.
    case ended(VoiceError?)
}
