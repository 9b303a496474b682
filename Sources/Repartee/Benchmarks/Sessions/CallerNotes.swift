/// What callers noticed.
struct CallerNotes: Sendable, Equatable {
    /// First audible sample of an answer, played as soon as it came, minus last audible sample of the question; in milliseconds.
    /// Questions that were answered too early are left out.
    var voiceToVoice: [Double] = []
    /// Pieces of sound against the schedule of their answer: how much later than that they came, in milliseconds.
    var lateness: [Float] = []
    /// Pieces of sound.
    var frames = 0
    /// Times that an answer had nothing to play in its middle.
    var underruns = 0
    /// Questions that were begun.
    var questions = 0
    /// Answers that began.
    var answers = 0
    /// Questions without an answer.
    var unanswered = 0
    /// Answers that began during the question.
    var falseStarts = 0
    /// Conversations that the caller ended.
    var calls = 0
    /// Conversations that were refused for want of room.
    var rejected = 0
    /// Conversations that broke off, or could not begin for another reason.
    var broken = 0
    /// Why, of the last of them.
    var lastProblem: String?

    static func += (notes: inout CallerNotes, other: CallerNotes) {
        notes.voiceToVoice += other.voiceToVoice
        notes.lateness += other.lateness
        notes.frames += other.frames
        notes.underruns += other.underruns
        notes.questions += other.questions
        notes.answers += other.answers
        notes.unanswered += other.unanswered
        notes.falseStarts += other.falseStarts
        notes.calls += other.calls
        notes.rejected += other.rejected
        notes.broken += other.broken
        notes.lastProblem = other.lastProblem ?? notes.lastProblem
    }
}
