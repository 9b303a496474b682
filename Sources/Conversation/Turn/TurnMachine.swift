internal import VoiceCore

/// Decides whose turn it is. **Feed it every event with its time; do what it returns, in order.**
///
/// A pure value without clock, task or engine. Two things go on at once and are kept apart: what the person does
/// (``Person``) and what the agent does (``Agent``). Every turn of the person ends in exactly one of: a reply, a logged
/// reason for none, or being joined with the speech that follows it.
package struct TurnMachine: Sendable {
    /// An answer that is held until its turn is over.
    private struct Draft: Sendable {
        var epoch: Int
        /// What it answers.
        var text: String
        /// Whether the model knew the news when it began.
        var knowsNews: Bool
    }

    package internal(set) var person = Person.quiet
    package internal(set) var agent = Agent.silent
    /// The number of the running or last turn of the person; the first is 1.
    package internal(set) var turn = 0
    let configuration: Configuration
    private var epoch = 0
    var request = 0
    /// Words of this turn that were final before the person went on speaking.
    package internal(set) var carried = ""
    var playoutPause = PlayoutPause()
    /// Answers to `settle` of this turn that are still to come.
    var settlements = 0
    private var draft: Draft?
    /// The reply that is opened while the final transcript is late, of which only a word about waiting is said; nil for none.
    var bridge: Int?
    /// What the person has said so far, as far as this silence's draft of the transcript is there.
    private var draftText: String?
    private var draftRequest = 0
    private var draftsOfTurn = 0
    var turnIsOpen = false
    private var showsUserSpeaking = false
    /// What the agent wants to say unasked; nil for nothing.
    var news: News?
    /// Since when neither side has done anything.
    var idleSince: Duration?

    /// Makes a machine in which nobody speaks.
    package init(configuration: Configuration) { self.configuration = configuration }

    /// The epoch of the reply that is being made or played.
    package var currentEpoch: Int? {
        switch agent {
        case .silent: nil
        case .preparing(let epoch, _, _), .speaking(let epoch): epoch
        }
    }

    /// When something is due if nothing happens before: feed a `tick` then. Nil while there is nothing to wait for.
    package var deadline: Duration? {
        switch person {
        case .quiet: forgottenPause ?? announcement
        case .speaking: nil
        case .finalising(let since):
            min(
                since + configuration.transcriptTimeout,
                bridging(since: since) ?? since + configuration.transcriptTimeout
            )
        case .interjecting(let interjection): decision(on: interjection)
        case .pausing(let pause): end(of: pause)
        }
    }

    /// Begins a reply that answers nobody: the greeting. Returns its epoch.
    package mutating func greet() -> Int { speakUp() }

    /// Begins a reply that answers nobody. It is the first thing of its turn that is heard, so there is nothing to join it with.
    mutating func speakUp() -> Int {
        let epoch = nextEpoch()
        agent = .speaking(epoch: epoch)
        return epoch
    }

    mutating func nextEpoch() -> Int {
        epoch += 1
        return epoch
    }

    /// Whether an answer is held that may be the turn's.
    var hasDraft: Bool { draft != nil }

    /// Takes an event that happened at `now`.
    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        let actions = take(event, now)
        noteIdleness(now)
        return actions + announce(now)
    }

    private mutating func take(_ event: Event, _ now: Duration) -> [Action] {
        switch event {
        case .onset: return onset(now)
        case .falseOnset: return falseOnset()
        case .speechStarted: return speechStarted(now)
        case .speechResumed: return speechResumed(now)
        case .hush(let lastSpeech): return hush(lastSpeech, now)
        case .speechStopped(let lastSpeech): return speechStopped(lastSpeech, now)
        case .verdict(let request, let probability): return verdict(request, probability, now)
        case .draftTranscript(let request, let text): return draftTranscript(request, text, now)
        case .completeness(let epoch, let probability): return completeness(epoch, probability, now)
        case .partialTranscript(let text): return partialTranscript(text, now)
        case .transcript(let turn, let text): return transcript(turn, text, now)
        case .typed(let text): return typed(text)
        case .interruptRequested: return interruptRequested(now)
        case .replyAudible(let epoch):
            if case .preparing(epoch, _, _) = agent { agent = .speaking(epoch: epoch) }
            return []
        case .replyPaused(let epoch, let remaining):
            if playoutPause.epoch == epoch { playoutPause.remaining = remaining }
            return []
        case .replyEnded(let epoch):
            guard currentEpoch == epoch else { return [] }
            agent = .silent
            // Nobody is interrupted any more: it is the person's turn, like any other.
            return confirmInterjection(now)
        case .news(let isUrgent): return takeNews(isUrgent, now)
        case .tick: return tick(now)
        }
    }

    // MARK: - The person

    private mutating func speechStarted(_ now: Duration) -> [Action] {
        if let actions = interject(now) { return actions }
        let actions = showUserSpeaking() + withdraw() + interruption()
        openTurn()
        request += 1
        person = .speaking
        return actions
    }

    mutating func showUserSpeaking() -> [Action] {
        guard !showsUserSpeaking else { return [] }
        showsUserSpeaking = true
        return [.showUserSpeaking(true)]
    }

    /// What new speech does to a reply that is being made or played.
    private mutating func interruption(isForced: Bool = false) -> [Action] {
        switch agent {
        case .silent:
            return []
        case .preparing(let epoch, _, let text):
            // Nothing was heard yet, so the person is simply not done: what they said belongs to the same turn.
            agent = .silent
            carried = text
            turnIsOpen = true
            return [.cut(epoch: epoch)]
        case .speaking(let epoch):
            guard configuration.interruption != .never || isForced else { return [] }
            agent = .silent
            return [.cut(epoch: epoch)]
        }
    }

    mutating func openTurn() {
        guard !turnIsOpen else { return }
        turnIsOpen = true
        turn += 1
        carried = ""
        settlements = 0
        draftsOfTurn = 0
    }

    private mutating func speechResumed(_ now: Duration) -> [Action] {
        switch person {
        case .speaking:
            return []
        case .pausing:
            request += 1
            person = .speaking
            return withdraw()
        case .quiet, .finalising:
            // The turn was over before the silence was certain.
            return speechStarted(now)
        case .interjecting:
            return interject(now) ?? []
        }
    }

    mutating func hush(_ lastSpeech: Duration, _ now: Duration) -> [Action] {
        if case .interjecting(let interjection) = person { return settle(interjection, lastSpeech, now) }
        guard case .speaking = person else { return [] }
        let judge = askForVerdict()
        let draft = askForDraft()
        var pause = Pause(began: now, lastSpeech: lastSpeech, request: request)
        pause.awaitsCompleteness =
            configuration.completenessTimeout != nil && configuration.endpointing.usesCompleteness && !draft.isEmpty
        person = .pausing(pause)
        return judge + draft
    }

    /// Asks for a verdict on the turn up to now, if the policy wants any.
    private mutating func askForVerdict() -> [Action] {
        guard configuration.endpointing.asksDetector else { return [] }
        request += 1
        return [.judge(request: request)]
    }

    mutating func speechStopped(_ lastSpeech: Duration, _ now: Duration) -> [Action] {
        var actions: [Action] = []
        if case .speaking = person { actions += hush(lastSpeech, now) }
        if case .interjecting(let interjection) = person {
            return settle(interjection, lastSpeech, silenceConfirmed: now, now)
        }
        guard case .pausing(var pause) = person else { return actions }
        pause.lastSpeech = lastSpeech
        pause.silenceConfirmed = now
        person = .pausing(pause)
        return actions + showUserSilent() + decide(now) + speculate()
    }

    private mutating func showUserSilent() -> [Action] {
        guard showsUserSpeaking else { return [] }
        showsUserSpeaking = false
        return [.showUserSpeaking(false)]
    }

    private mutating func verdict(_ request: Int, _ probability: Float?, _ now: Duration) -> [Action] {
        guard case .pausing(var pause) = person, pause.request == request else { return [] }
        pause.probability = probability
        pause.hasVerdict = true
        person = .pausing(pause)
        return decide(now) + speculate()
    }

    private mutating func tick(_ now: Duration) -> [Action] {
        if case .finalising(let since) = person, now - since >= configuration.transcriptTimeout {
            return finalTranscript(nil)
        }
        if case .finalising(let since) = person, let due = bridging(since: since), due <= now { return bridgeWait() }
        if case .quiet = person { return endForgottenPause(now) }
        if case .interjecting(let interjection) = person {
            return now >= decision(on: interjection) ? confirmInterjection(now) : []
        }
        return decide(now) + speculate()
    }

    /// Ends the turn if it has been silent for long enough.
    private mutating func decide(_ now: Duration) -> [Action] {
        guard case .pausing(let pause) = person, let end = end(of: pause), now >= end else { return [] }
        return commit(pause, now)
    }

    /// When the turn is over if nothing happens before; nil while only voice activity can tell.
    private func end(of pause: Pause) -> Duration? {
        let policy = configuration.endpointing
        if policy.needsCertainSilence, pause.silenceConfirmed == nil { return nil }
        var end = pause.lastSpeech + wait(in: pause)
        if policy.asksDetector, !pause.hasVerdict { end = max(end, pause.began + configuration.verdictTimeout) }
        if pause.awaitsCompleteness, let timeout = configuration.completenessTimeout {
            end = max(end, pause.began + timeout)
        }
        return end
    }

    /// The silence that is wanted, as far as is known.
    private func wait(in pause: Pause) -> Duration {
        configuration.endpointing.wait(
            probability: pause.hasVerdict ? pause.probability : nil,
            completeness: pause.completeness
        )
    }

    private mutating func commit(_ pause: Pause, _ now: Duration) -> [Action] {
        person = .finalising(since: now)
        if !isBridging { bridge = nil }
        // What was waited for on purpose is the endpoint's; the rest was spent on finding it.
        let silence = min(now, max(pause.silenceConfirmed ?? pause.began, pause.lastSpeech + wait(in: pause)))
        let endpoint = Endpoint(lastSpeech: pause.lastSpeech, silenceConfirmed: silence, committed: now)
        return showUserSilent() + [.mark(turn: turn, endpoint), .finalise(turn: turn)]
    }

    // MARK: - The draft

    /// Wants an answer before the end of the turn is certain, unless the agent is busy or this turn has cost enough.
    private mutating func askForDraft() -> [Action] {
        guard case .silent = agent, draftsOfTurn < configuration.draftsPerTurn else { return [] }
        draftRequest += 1
        draftsOfTurn += 1
        return [.draft(request: draftRequest)]
    }

    private mutating func draftTranscript(_ request: Int, _ text: String?, _ now: Duration) -> [Action] {
        guard case .silent = agent, request == draftRequest, draft == nil else { return [] }
        let all = [carried, text ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
        guard text != nil, !all.isEmpty else { return judged(nil, now) }
        draftText = all
        return speculate()
    }

    private mutating func completeness(_ epoch: Int, _ probability: Float, _ now: Duration) -> [Action] {
        draft?.epoch == epoch ? judged(probability, now) : []
    }

    /// Takes what the language model thinks of the words; nil where it cannot say.
    private mutating func judged(_ completeness: Float?, _ now: Duration) -> [Action] {
        guard case .pausing(var pause) = person, pause.awaitsCompleteness else { return [] }
        pause.completeness = completeness
        pause.awaitsCompleteness = false
        person = .pausing(pause)
        return decide(now)
    }

    /// Begins a draft once that is worth it.
    private mutating func speculate() -> [Action] {
        guard draft == nil, case .silent = agent, let text = draftText else { return [] }
        switch person {
        case .pausing(let pause):
            guard pause.awaitsCompleteness || pause.probability ?? 1 >= configuration.draftProbability else {
                return []
            }
        case .finalising: break
        case .quiet, .speaking, .interjecting: return []
        }
        draftText = nil
        epoch += 1
        draft = Draft(epoch: epoch, text: text, knowsNews: news != nil)
        return [.speculate(turn: turn, epoch: epoch, text: text)]
    }

    /// Speech went on, or something else is to be answered.
    mutating func withdraw() -> [Action] {
        draftRequest += 1
        draftText = nil
        guard let draft else { return [] }
        self.draft = nil
        return [.withdraw(epoch: draft.epoch)]
    }

    // MARK: - The answer

    private mutating func transcript(_ turn: Int, _ text: String?, _ now: Duration) -> [Action] {
        guard turn == self.turn, turnIsOpen else { return [] }
        guard settlements > 0 else { return finalTranscript(text) }
        settlements -= 1
        if case .interjecting(let interjection) = person { return settled(interjection, text, now) }
        carry(text)
        return []
    }

    /// Keeps words of the turn that are final.
    mutating func carry(_ text: String?) {
        guard let text, !text.isEmpty else { return }
        carried += carried.isEmpty ? text : " " + text
    }

    private mutating func finalTranscript(_ text: String?) -> [Action] {
        carry(text)
        // Speech went on before the transcript was there: it belongs to what comes.
        guard case .finalising = person else { return [] }
        person = .quiet
        turnIsOpen = false
        guard !carried.isEmpty else {
            let reason = text == nil ? "the recogniser gave no transcript" : "no words were understood"
            return withdraw() + endBridge() + [.drop(turn: turn, reason: reason)]
        }
        if isBridging { return withdraw() + answerBehindBridge(carried) }
        guard let draft, case .silent = agent, draft.text.hasSameWords(as: carried) else {
            return withdraw() + reply(to: carried)
        }
        self.draft = nil
        draftText = nil
        if draft.knowsNews { news = nil }
        agent = .preparing(epoch: draft.epoch, turn: turn, text: carried)
        return [.release(turn: turn, epoch: draft.epoch, text: carried)]
    }

    /// A typed message is answered together with words of the person that have no answer yet.
    private mutating func typed(_ text: String) -> [Action] {
        let cut = withdraw() + interruption(isForced: true)
        openTurn()
        turnIsOpen = false
        person = .quiet
        return cut + reply(to: carried.isEmpty ? text : carried + " " + text)
    }

    private mutating func reply(to text: String) -> [Action] {
        let cut = currentEpoch.map { [Action.cut(epoch: $0)] } ?? []
        epoch += 1
        news = nil
        agent = .preparing(epoch: epoch, turn: turn, text: text)
        return cut + [.reply(turn: turn, epoch: epoch, text: text)]
    }

    private mutating func interruptRequested(_ now: Duration) -> [Action] {
        switch agent {
        case .silent: return []
        case .speaking(let epoch):
            agent = .silent
            return [.cut(epoch: epoch)] + confirmInterjection(now)
        case .preparing(let epoch, let turn, _):
            guard !isBridging else { return endBridge() }
            agent = .silent
            return [.cut(epoch: epoch), .drop(turn: turn, reason: "interrupted before the answer was heard")]
        }
    }
}
