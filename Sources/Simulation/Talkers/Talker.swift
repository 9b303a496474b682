internal import VoiceCore

/// What one person says and when, and what they notice of the agent. A value without a clock.
struct Talker: Sendable {
    /// A word that was or will be said.
    struct Word: Sendable {
        var text: String
        var end: Duration
    }

    /// What the person has noticed.
    struct Notes: Sendable, Equatable {
        /// First sound of each answer minus last sound of the person, in milliseconds; the person's patience where no answer came.
        var voiceToVoice: [Double] = []
        /// Utterances that were said to their end.
        var utterances = 0
        /// Those that got no answer.
        var unanswered = 0
        /// Answers that began before the person had finished.
        var falseStarts = 0
        /// Answers that the person interrupted.
        var interruptions = 0
        /// Times that an answer stopped in the middle because nothing was left to play.
        var underruns = 0
    }

    private enum State {
        /// Will speak next at this time.
        case quiet(until: Duration)
        case speaking
        /// Has spoken and wants an answer.
        case waiting(since: Duration)
        /// Listens to the agent, and interrupts it at this time.
        case listening(interruptsAt: Duration?)
    }

    /// The answer that is heard.
    private struct Answer {
        var epoch: Int
        /// When its first sample played; moved on by every underrun.
        var start: Duration
        /// True while the agent keeps silent to hear whether it is being interrupted.
        var isPaused = false
    }

    private let habits: TalkerHabits
    /// Which words, pauses and interruptions; apart from the detector's, so that what is said does not depend on the agent.
    private var random: SeededRandom
    private var detectorRandom: SeededRandom
    private var state: State
    private var answer: Answer?
    /// All words so far, and those of the running utterance that are still to come.
    private(set) var words: [Word] = []
    /// Where there is sound: runs of speech in order, the current utterance's only.
    private var runs: [Range<Duration>] = []
    private(set) var notes = Notes()

    /// Makes a person.
    /// - Parameter number: people of different numbers say different things.
    init(_ habits: TalkerHabits, seed: UInt64, number: Int) {
        self.habits = habits
        random = SeededRandom(seed: seed, stream: 3 * number)
        detectorRandom = SeededRandom(seed: seed, stream: 3 * number + 1)
        state = .quiet(until: random.exponential(mean: habits.thinking))
    }

    /// The end of the utterance that is being said or was said last.
    private var end: Duration { runs.last?.upperBound ?? .zero }

    // MARK: speaking

    /// Lets time go on to `now`.
    mutating func advance(to now: Duration) {
        switch state {
        case .quiet(let until) where until <= now: begin(at: until)
        case .listening(let at?) where at <= now:
            notes.interruptions += 1
            begin(at: at)
        case .waiting(let since) where now - since >= habits.patience:
            notes.unanswered += 1
            notes.voiceToVoice.append(habits.patience.milliseconds)
            state = .quiet(until: now)
        case .quiet, .listening, .waiting, .speaking: break
        }
        if case .speaking = state, end <= now {
            notes.utterances += 1
            state = .waiting(since: end)
        }
    }

    /// Whether there is sound at some time in a range, and up to where.
    func sound(in range: Range<Duration>) -> [Range<Duration>] {
        runs.map { $0.clamped(to: range) }.filter { !$0.isEmpty }
    }

    private mutating func begin(at start: Duration) {
        state = .speaking
        let isLong = random.happens(0.5)
        let count = random.number(in: isLong ? habits.longUtterance : habits.shortUtterance)
        let pauses = isLong && random.happens(habits.hesitationShare)
        let pauseAfter = random.number(in: 2...max(2, count - 2))
        let pause = random.exponential(mean: habits.hesitation)
        let word = Duration.seconds(1) / habits.wordsPerSecond
        var time = start
        runs = []
        var began = start
        for index in 0..<count {
            time += word
            words.append(Word(text: Vocabulary.word(&random), end: time))
            guard pauses, index + 1 == pauseAfter else { continue }
            runs.append(began..<time)
            time += pause
            began = time
        }
        runs.append(began..<time)
    }

    // MARK: listening

    /// Hears a piece of an answer that came at `now`.
    /// - Parameters:
    ///   - offset: its place in the answer.
    ///   - isSound: false for silence.
    mutating func hear(epoch: Int, offset: Duration, isSound: Bool, at now: Duration) {
        if answer?.epoch != epoch {
            guard isSound else { return }
            answer = Answer(epoch: epoch, start: now - offset)
            begins(at: now)
        } else if answer?.isPaused == true {
            answer = Answer(epoch: epoch, start: now - offset)
        } else if let start = answer?.start, now > start + offset {
            notes.underruns += 1
            answer?.start = now - offset
        }
    }

    /// Notices that the agent keeps silent for a moment.
    mutating func agentPaused() { answer?.isPaused = true }

    private mutating func begins(at now: Duration) {
        if case .speaking = state {
            notes.falseStarts += 1
            return
        }
        if case .waiting(let since) = state { notes.voiceToVoice.append((now - since).milliseconds) }
        let interrupts = random.happens(habits.interruptionShare)
        let after = habits.interruptedWithin * random.uniform()
        state = .listening(interruptsAt: interrupts ? now + after : nil)
    }

    /// Notices that the agent has ended.
    mutating func agentEnded(at now: Duration) {
        guard case .listening = state else { return }
        state = .quiet(until: now + random.exponential(mean: habits.thinking))
    }

    /// Notices that there will be no answer.
    mutating func turnDropped(at now: Duration) {
        guard case .waiting = state else { return }
        notes.unanswered += 1
        state = .quiet(until: now + random.exponential(mean: habits.thinking))
    }

    // MARK: being listened to

    /// What Smart Turn makes of the turn up to `now`: P(end).
    mutating func endProbability(at now: Duration) -> Float {
        let share = now < end ? habits.mistakenShare : habits.completeShare
        // Sure of an end, or rather sure of none.
        return detectorRandom.happens(share)
            ? Float(0.9 + 0.1 * detectorRandom.uniform()) : Float(0.05 + 0.35 * detectorRandom.uniform())
    }
}
