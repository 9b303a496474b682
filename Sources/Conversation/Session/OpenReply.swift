internal import VoiceCore

/// A reply that is being made or played.
struct OpenReply {
    var epoch: Int
    var turn: Int
    /// What it answers, in the words that the model was given; nil for the greeting.
    var user: String?
    /// The final transcript of what a draft answers: the words of `user`, perhaps with other punctuation.
    var transcript: String?
    /// Whether it is a draft whose turn may not be over.
    var isHeld = false
    var speculation = TurnReport.Speculation.none
    var urgency: Urgency
    var timeline = TurnTimeline()
    var usage: ReplyUsage?
    var stop: Mailbox<Never>
    var isAudible = false
    var heard = ""
    /// The answer so far, if it is only written.
    var written: String?
    /// What would have been told of a draft if its turn had been over.
    var withheld: [ReplyStage] = []
    var modelIsBusy = false
    var voiceIsBusy = false
    var failure: VoiceError?
    /// Calls that the answer made.
    var rounds: [ToolRound] = []
    /// Whether it is the last one, unless the person interrupts it.
    var isFarewell = false
}
