internal import VoiceCore

// What a turn machine is told, what it answers, and what it knows of both sides.

extension TurnMachine {
    /// How long to wait for what.
    package struct Configuration: Sendable, Equatable {
        /// How much silence ends a turn.
        package var endpointing = EndpointPolicy.adaptive(AdaptiveWait())
        /// A verdict that takes longer is not waited for: silence alone decides.
        package var verdictTimeout: Duration = .seconds(1)
        /// A final transcript that takes longer counts as failed.
        package var transcriptTimeout: Duration = .seconds(5)
        /// While one takes longer than this, something is said about waiting; nil for never.
        package var bridgesTranscripts: Duration?
        /// What the language model thinks of a silence's draft is not waited for any longer than this; nil where it thinks nothing of
        /// that.
        package var completenessTimeout: Duration?
        /// Replies that may be drafted before a turn is over, each perhaps for nothing; 0 for none.
        package var draftsPerTurn = 0
        /// Silence of both sides before the agent speaks without having been asked.
        package var idleBeforeNews: Duration = .milliseconds(800)
        /// An end less likely than this is not worth a draft, unless the language model is to say what it thinks.
        package var draftProbability: Float = 0.3
        /// What the person's voice does to a reply that is being played.
        package var interruption = InterruptionPolicy.considered(InterruptionPolicy.Consideration())

        /// Makes the default configuration.
        package init() {}
    }

    /// Something that happened.
    package enum Event: Sendable, Equatable {
        /// Something like speech began; not certain yet.
        case onset
        /// The onset was nothing.
        case falseOnset
        /// Voice activity is certain.
        case speechStarted
        /// A first short silence; the turn's audio so far is ready to be judged. `lastSpeech` is when the person's last
        /// sound was heard.
        case hush(lastSpeech: Duration)
        /// Speech went on after `hush`, before `speechStopped`.
        case speechResumed
        /// Silence is certain. `lastSpeech` as in `hush`, now known better.
        case speechStopped(lastSpeech: Duration)
        /// The answer to `judge` with this number; nil when the detector failed.
        case verdict(request: Int, probability: Float?)
        /// The answer to `draft` with this number; nil when the recogniser failed or cannot tell.
        case draftTranscript(request: Int, text: String?)
        /// How likely the words that the draft of this epoch answers are all that the person wants to say.
        case completeness(epoch: Int, probability: Float)
        /// What the recogniser makes of the running utterance so far.
        case partialTranscript(String)
        /// The answer to `finalise` or `settle` of this turn; nil when the recogniser failed.
        case transcript(turn: Int, text: String?)
        /// A typed message.
        case typed(String)
        /// The person pressed "stop".
        case interruptRequested
        /// The first sound of the reply was played.
        case replyAudible(epoch: Int)
        /// The answer to `pause`: how much of the reply is still to be played; nil while it is being made.
        case replyPaused(epoch: Int, remaining: Duration?)
        /// The reply ended by itself: all of it was played, or it failed.
        case replyEnded(epoch: Int)
        /// The agent has something to say that nobody asked for; if it is urgent, it breaks off what it says for it.
        case news(isUrgent: Bool)
        /// Time passed.
        case tick
    }

    /// Something to do.
    package enum Action: Sendable, Equatable {
        /// Ask the turn detector about the turn's audio up to now.
        case judge(request: Int)
        /// Ask the recogniser what the transcript would be if the turn were over.
        case draft(request: Int)
        /// Begin an answer to this text, and hold it: the turn may not be over.
        case speculate(turn: Int, epoch: Int, text: String)
        /// The turn is over and was what the held answer answers: let it be heard. `text` is the final transcript.
        case release(turn: Int, epoch: Int, text: String)
        /// Throw the held answer away: it never was.
        case withdraw(epoch: Int)
        /// Ask the recogniser for the final transcript of this turn.
        case finalise(turn: Int)
        /// Answer this turn. `text` is all that the person said in it.
        case reply(turn: Int, epoch: Int, text: String)
        /// Open the answer to this turn with a word about waiting: its final transcript is late.
        case bridge(turn: Int, epoch: Int)
        /// Answer this turn behind that. `text` is all that the person said in it.
        case answer(turn: Int, epoch: Int, text: String)
        /// Speak of the news, in a turn of its own.
        case speakUp(turn: Int, epoch: Int)
        /// Silence this reply at once; the context keeps what was heard.
        case cut(epoch: Int)
        /// Silence this reply at once; it may go on where it was.
        case pause(epoch: Int)
        /// Play on.
        case resume(epoch: Int)
        /// Ask the recogniser what was said so far; the turn may go on.
        case settle(turn: Int)
        /// What was said in this turn was none of the agent's business: forget it.
        case dismiss(turn: Int)
        /// This turn gets no reply.
        case drop(turn: Int, reason: String)
        /// Show that the person began or ended to speak.
        case showUserSpeaking(Bool)
        /// The waiting time's borders, for the turn's tiles.
        case mark(turn: Int, Endpoint)
    }

    /// When and how the end of a turn was found.
    package struct Endpoint: Sendable, Equatable {
        /// The person's last sound.
        package var lastSpeech: Duration
        /// When the silence was long enough to want an answer.
        package var silenceConfirmed: Duration
        /// When the turn was declared over.
        package var committed: Duration
    }

    /// What the person does.
    package enum Person: Sendable, Equatable {
        case quiet
        case speaking
        /// Silent for a moment; may go on.
        case pausing(Pause)
        /// The turn is over, its final transcript on the way.
        case finalising(since: Duration)
        /// Makes a sound over the agent's voice; it is not known yet whether it means to interrupt.
        case interjecting(Interjection)
    }

    /// A silence inside or after a turn.
    package struct Pause: Sendable, Equatable {
        package var began: Duration
        /// The person's last sound.
        package var lastSpeech: Duration
        /// The number of the request for a verdict.
        package var request: Int
        /// The answer; nil when the detector failed.
        package var probability: Float?
        package var hasVerdict = false
        /// What the language model thinks; nil while that is not known.
        package var completeness: Float?
        /// Whether it will be.
        package var awaitsCompleteness = false
        /// When voice activity was certain of the silence.
        package var silenceConfirmed: Duration?
    }

    /// What the agent does.
    package enum Agent: Sendable, Equatable {
        case silent
        /// A reply is being made; nothing of it was heard yet.
        case preparing(epoch: Int, turn: Int, text: String)
        case speaking(epoch: Int)
    }
}
