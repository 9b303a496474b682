internal import VoiceCore

extension TurnMachine {
    /// A sound of the person over the agent's voice.
    package struct Interjection: Sendable, Equatable {
        /// When it counted as speech.
        package var began: Duration
        /// The person's last sound; nil while they speak.
        package var lastSpeech: Duration?
        /// When voice activity was certain of the silence.
        package var silenceConfirmed: Duration?
        /// When the recogniser was asked what was said; nil while it is not.
        package var asked: Duration?
        /// The newest partial transcript's words.
        package var words: [String] = []
    }

    /// The pauses of one reply.
    struct PlayoutPause: Sendable {
        var epoch = 0
        var isOn = false
        /// When the last one began.
        var began = Duration.zero
        var count = 0
        /// How much is still to be played; nil while it is being made.
        var remaining: Duration?
    }

    /// The policy, and the reply being played, if sounds are to be told from interruptions.
    private var considered: (policy: InterruptionPolicy.Consideration, epoch: Int)? {
        guard case .speaking(let epoch) = agent, case .considered(let policy) = configuration.interruption else {
            return nil
        }
        return (policy, epoch)
    }

    mutating func onset(_ now: Duration) -> [Action] {
        guard case .quiet = person else { return [] }
        return pausePlayout(now)
    }

    mutating func falseOnset() -> [Action] {
        guard case .quiet = person else { return [] }
        return resumePlayout()
    }

    /// Speech is certain while the agent speaks; nil if it does not, or any speech ends what it says.
    mutating func interject(_ now: Duration) -> [Action]? {
        guard considered != nil else { return nil }
        if case .interjecting(var interjection) = person {
            interjection.began = interjection.lastSpeech == nil ? interjection.began : now
            interjection.lastSpeech = nil
            interjection.silenceConfirmed = nil
            person = .interjecting(interjection)
            return []
        }
        openTurn()
        request += 1
        person = .interjecting(Interjection(began: now))
        return pausePlayout(now)
    }

    /// When an interjection is decided on if nothing happens before.
    func decision(on interjection: Interjection) -> Duration {
        if let asked = interjection.asked { return asked + configuration.transcriptTimeout }
        guard case .considered(let policy) = configuration.interruption else { return interjection.began }
        return interjection.began + policy.longest
    }

    /// A word counts once two partial transcripts in a row have it and another one after it: the last word may be half of
    /// one, and the first guess at a sound is often wrong.
    mutating func partialTranscript(_ text: String, _ now: Duration) -> [Action] {
        guard case .interjecting(var interjection) = person, case .considered(let policy) = configuration.interruption
        else { return [] }
        let words = (carried + " " + text).spokenWords
        let certain = zip(words.dropLast(), interjection.words).prefix { $0 == $1 }.map(\.0)
        interjection.words = words
        person = .interjecting(interjection)
        let isAnswer = isLastMoment && !certain.isEmpty
        return isAnswer || !policy.backChannel.mayCover(certain) ? confirmInterjection(now) : []
    }

    /// The person fell silent: asks what was said.
    mutating func settle(
        _ interjection: Interjection,
        _ lastSpeech: Duration,
        silenceConfirmed: Duration? = nil,
        _ now: Duration
    ) -> [Action] {
        var settling = interjection
        settling.lastSpeech = lastSpeech
        settling.silenceConfirmed = silenceConfirmed ?? interjection.silenceConfirmed
        settling.asked = interjection.asked ?? now
        person = .interjecting(settling)
        guard interjection.asked == nil else { return [] }
        settlements += 1
        return [.settle(turn: turn)]
    }

    /// The recogniser told what was said; nil when it failed.
    mutating func settled(_ interjection: Interjection, _ text: String?, _ now: Duration) -> [Action] {
        guard let text else { return confirmInterjection(now) }
        carry(text)
        if isInterruption(carried) { return confirmInterjection(now) }
        guard interjection.lastSpeech != nil else {
            // They speak again, so it is too early to tell.
            person = .interjecting(Interjection(began: interjection.began, words: interjection.words))
            return []
        }
        person = .quiet
        turnIsOpen = false
        let reason = carried.isEmpty ? "a sound without words" : "no interruption: \"\(carried)\""
        let rest = isBridging ? endBridge() : resumePlayout()
        return [.dismiss(turn: turn), .drop(turn: turn, reason: reason)] + rest
    }

    /// Whether a text takes the turn from the agent.
    private func isInterruption(_ text: String) -> Bool {
        guard let (policy, _) = considered else { return true }
        return !policy.backChannel.covers(text) || isLastMoment && !text.spokenWords.isEmpty
    }

    /// Whether so little of the reply is left that every word answers it.
    private var isLastMoment: Bool {
        guard let (policy, _) = considered, let remaining = playoutPause.remaining else { return false }
        return remaining <= policy.answerWindow
    }

    /// The person takes the turn: the reply ends, and what they say is a turn like any other.
    mutating func confirmInterjection(_ now: Duration) -> [Action] {
        guard case .interjecting(let interjection) = person else { return [] }
        var actions = showUserSpeaking()
        if let (_, epoch) = considered {
            agent = .silent
            actions.append(.cut(epoch: epoch))
        }
        playoutPause.isOn = false
        person = .speaking
        guard let lastSpeech = interjection.lastSpeech else { return actions }
        guard interjection.silenceConfirmed != nil else { return actions + hush(lastSpeech, now) }
        return actions + speechStopped(lastSpeech, now)
    }

    // MARK: - The loudspeaker

    private var isPaused: Bool { playoutPause.isOn && playoutPause.epoch == currentEpoch }

    /// When a pause for an onset ends of which nothing more was heard.
    var forgottenPause: Duration? {
        guard isPaused, case .quiet = person, let (policy, _) = considered else { return nil }
        return playoutPause.began + policy.longest
    }

    mutating func endForgottenPause(_ now: Duration) -> [Action] {
        guard let end = forgottenPause, now >= end else { return [] }
        return resumePlayout()
    }

    private mutating func pausePlayout(_ now: Duration) -> [Action] {
        guard let (policy, epoch) = considered else { return [] }
        if playoutPause.epoch != epoch { playoutPause = PlayoutPause(epoch: epoch) }
        guard !playoutPause.isOn, playoutPause.count < policy.pausesPerReply else { return [] }
        playoutPause.isOn = true
        playoutPause.began = now
        playoutPause.count += 1
        playoutPause.remaining = nil
        return [.pause(epoch: epoch)]
    }

    private mutating func resumePlayout() -> [Action] {
        guard isPaused, let (_, epoch) = considered else { return [] }
        playoutPause.isOn = false
        return [.resume(epoch: epoch)]
    }
}
