internal import VoiceCore

/// A person at the other end of one conversation: what they say when, and what they notice. A value without clock and socket.
///
/// **Tick it every 20 ms and send what it says; tell it every piece of sound and of news.** It asks a question, waits for the answer,
/// listens to its end, thinks, and asks the next one.
struct Caller: Sendable {
    /// How they talk.
    struct Habits: Sendable, Equatable {
        /// From the end of an answer to the next question, uniformly distributed.
        var thinking = Duration.milliseconds(500)...Duration.milliseconds(1500)
        /// From the beginning of the conversation to the first question, likewise.
        var beginning = Duration.seconds(1)...Duration.seconds(9)
        /// Who has not been answered for so long asks something else.
        var patience = Duration.seconds(10)
        /// Questions until they hang up; nil for as many as there is time for.
        var questions: Int?
    }

    /// What goes to the microphone next.
    enum Sound: Sendable, Equatable {
        /// Quiet, the piece of this number.
        case quiet(Int)
        /// A piece of a question.
        case question(Int, piece: Int)
        /// They hang up.
        case none
    }

    private enum State: Sendable, Equatable {
        /// Says nothing, and never will before ``talk(from:)``.
        case idle
        case thinking(until: Duration)
        /// Asks; `began` is when the first sample was spoken.
        case asking(began: Duration, piece: Int)
        case waiting(since: Duration)
        /// Hears an answer, of which something came last at this time.
        case listening(latest: Duration)
        case gone
    }

    /// An answer that stopped and never ended is over after this.
    private static let longestGap = Duration.seconds(5)

    private let habits: Habits
    /// Pieces and audible length of each question.
    private let questions: [(pieces: Int, audible: Duration)]
    private var random: SplitMix64
    private var state = State.idle
    private var question: Int
    private var asked = 0
    private var pieces = 0
    /// Whether the question was answered before it was asked.
    private var isSpoiled = false
    private var answer: AnswerMeter
    /// What they noticed since it was taken last.
    private(set) var notes = CallerNotes()

    /// Makes a person.
    /// - Parameters:
    ///   - number: people of different numbers begin with different questions and think for other times.
    ///   - playout: the rate of the answers.
    init(_ habits: Habits, sound: CallerSound, number: Int, playout: SampleRate) {
        self.habits = habits
        questions = sound.questions.map { ($0.messages.count, $0.audible) }
        random = SplitMix64(seed: UInt64(truncatingIfNeeded: number))
        question = number
        answer = AnswerMeter(rate: playout)
    }

    /// True while nothing is said or awaited by either side.
    var isAtRest: Bool {
        switch state {
        case .idle, .thinking: !answer.isRunning
        default: false
        }
    }

    /// Has them begin to talk.
    mutating func talk(from now: Duration) {
        guard case .idle = state else { return }
        state = .thinking(until: now + random.duration(in: habits.beginning))
    }

    /// Takes what was noticed.
    mutating func takeNotes() -> CallerNotes {
        defer { notes = CallerNotes() }
        return notes
    }

    // MARK: - speaking

    /// The sound of the 20 ms that end at `now`.
    mutating func tick(at now: Duration) -> Sound {
        pieces += 1
        switch state {
        case .thinking(let until) where until <= now && asked == habits.questions:
            state = .gone
            return .none
        case .thinking(let until) where until <= now && !answer.isRunning:
            asked += 1
            question = (question + 1) % max(1, questions.count)
            isSpoiled = false
            return ask(began: now - CallerSound.length, piece: 0)
        case .asking(let began, let piece):
            return ask(began: began, piece: piece)
        case .waiting(let since) where now - since >= habits.patience:
            if !isSpoiled { notes.unanswered += 1 }
            think(at: now)
        case .listening(let latest) where now - latest >= Self.longestGap:
            think(at: now)
        case .idle, .thinking, .waiting, .listening, .gone: break
        }
        return .quiet(pieces)
    }

    private mutating func ask(began: Duration, piece: Int) -> Sound {
        let (count, audible) = questions[question]
        state = piece + 1 < count ? .asking(began: began, piece: piece + 1) : .waiting(since: began + audible)
        if piece == 0 { notes.questions += 1 }
        return .question(question, piece: piece)
    }

    private mutating func think(at now: Duration) {
        state = .thinking(until: now + random.duration(in: habits.thinking))
    }

    // MARK: - listening

    /// Whether the first sound of an answer is still to come, so that pieces must be looked at.
    func awaitsOnset(epoch: Int) -> Bool { answer.awaitsOnset(epoch: epoch) }

    /// Hears a piece of an answer.
    /// - Parameters:
    ///   - position: its first sample, counted from the answer's.
    ///   - count: its samples.
    ///   - onset: its first audible sample, where ``awaitsOnset(epoch:)``; nil for none.
    mutating func hear(epoch: Int, position: Int, count: Int, onset: Int?, at now: Duration) {
        if let begun = answer.hear(epoch: epoch, position: position, count: count, onset: onset, at: now) {
            begins(at: begun)
        }
        if case .listening = state { state = .listening(latest: now) }
    }

    private mutating func begins(at begun: Duration) {
        switch state {
        case .asking:
            if !isSpoiled { notes.falseStarts += 1 }
            isSpoiled = true
        case .waiting(let since):
            if !isSpoiled { notes.voiceToVoice.append((begun - since).milliseconds) }
            notes.answers += 1
            state = .listening(latest: begun)
        case .idle, .thinking, .listening, .gone: break
        }
    }

    /// How much of the running answer has been played by `now`: what a page tells its server; nil while nothing plays.
    func played(at now: Duration) -> (epoch: Int, samples: Int)? { answer.played(at: now) }

    /// The agent is silent now, for a moment or for good.
    mutating func agentPaused() { settle() }

    /// The agent has ended.
    mutating func agentEnded(at now: Duration) {
        settle()
        if case .listening = state { think(at: now) }
    }

    /// There will be no answer.
    mutating func turnDropped(at now: Duration) {
        guard case .waiting = state else { return }
        if !isSpoiled { notes.unanswered += 1 }
        think(at: now)
    }

    private mutating func settle() {
        let segment = answer.settle()
        notes.lateness += segment.lateness
        notes.frames += segment.frames
        notes.underruns += segment.underruns
    }
}

extension SplitMix64 {
    /// A duration of a range, all equally likely.
    fileprivate mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }
}
