/// Something that reached the agent from the person's side.
public enum TransportEvent: Sendable, Equatable {
    /// Microphone audio, any rate; positions count the samples since the stream began.
    case audio(AudioFrame)
    /// A typed message, to be treated as a whole user turn.
    case text(String)
    /// A typed message, and what is to be done about it.
    case typed(TypedMessage)
    /// How much of the reply with this epoch has left the person's loudspeaker, in samples at the reply's rate.
    case played(epoch: Int, samples: Int)
    /// The person asked the agent to be quiet.
    case interrupt
    /// The person wants this job in the background to be stopped.
    case cancelJob(String)
    /// The server wants the conversation to end: this is said, and then it is over. Empty for an end without words.
    case farewell(String)
}

/// A typed message that wants something else than an ordinary one.
public struct TypedMessage: Sendable, Equatable {
    /// What was typed; not empty.
    public var text: String
    /// Whether it is answered at once, which ends the reply that is being made or played. Otherwise it only becomes part of
    /// the conversation.
    public var isAnswered: Bool
    /// Whether the answer is spoken; otherwise it is only written.
    public var isSpoken: Bool

    /// Makes a message.
    public init(text: String, isAnswered: Bool = true, isSpoken: Bool = true) {
        self.text = text
        self.isAnswered = isAnswered
        self.isSpoken = isSpoken
    }
}

/// A piece of a reply on its way to the loudspeaker.
public struct PlayoutFrame: Sendable, Equatable {
    /// The reply this belongs to. Frames of a reply that was cut are dropped by every hop.
    public var epoch: Int
    /// The audio; `position` counts the samples since the reply began.
    public var audio: AudioFrame

    /// Makes a frame.
    public init(epoch: Int, audio: AudioFrame) {
        self.epoch = epoch
        self.audio = audio
    }
}

/// Something for the person's side.
public enum TransportMessage: Sendable, Equatable {
    /// Audio to play, in order, paced by the sender.
    case audio(PlayoutFrame)
    /// Stop playing this reply now and forget what is buffered of it and of every earlier one.
    case cut(epoch: Int)
    /// Stop playing this reply now and forget what is buffered of it. It may go on later: at the position where it stopped, or
    /// a little before.
    case pause(epoch: Int)
    /// News of the conversation, for a page or an app.
    case event(SessionEvent)
}

/// A two-way path to one person.
///
/// `events` has one consumer and ends when the person has gone. A transport bounds its queues: when the peer reads too
/// slowly audio is dropped, oldest first, and counted; a peer that stays stuck is disconnected.
public protocol Transport: Sendable {
    /// What arrives, in order.
    var events: AsyncStream<TransportEvent> { get }
    /// The rate at which this transport wants to be given audio.
    var playoutRate: SampleRate { get }
    /// How far ahead of the clock it wants audio; nil for as far as the conversation sends it by itself.
    var playoutLead: Duration? { get }
    /// Where the conversation's tasks are best run; nil for wherever there is room.
    ///
    /// Many conversations wake up 50 times a second for little work each. On the thread that serves the connection nobody has to be
    /// woken for it.
    var executor: (any SessionExecutor)? { get }
    /// Begins or ends a rest, in which neither side has spoken for a while: what arrives may then be handed over some tenths of a second
    /// late and several pieces at a time, so that many who are silent wake their thread less often. Called by the task that reads
    /// ``events``; returns at once.
    func rest(_ isResting: Bool)
    /// Queues a message. Returns once it is queued, not once it is sent.
    /// - Throws: ``VoiceError/Code/unavailable`` once the peer has gone.
    func send(_ message: TransportMessage) async throws(VoiceError)
}

extension Transport {
    /// Nil.
    public var playoutLead: Duration? { nil }
    /// Nil.
    public var executor: (any SessionExecutor)? { nil }
    /// Does nothing: what arrives is handed over at once.
    public func rest(_ isResting: Bool) {}
}
