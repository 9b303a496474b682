package import VoiceCore

/// A scenario being played, as a value: what the agent did, verdicts and time in, what the person does out.
///
/// **Feed whatever comes, then do what is returned, in order.** It is to be told the time every few milliseconds. Its rules are those
/// of Pipecat 1.14 (`evals/script_driver.py`, `evals/matcher.py`); an event counts by the time at which it came.
package struct ScriptMachine: Sendable {
    /// What is to be done.
    package enum Action: Sendable, Equatable {
        /// The person does what they do in this turn.
        case act(ScriptTurn)
        /// Ask the judge, then call ``decided(_:at:)``.
        case ask(JudgeQuestion)
        /// The scenario is over.
        case finish
    }

    /// How long things may take.
    package struct Limits: Sendable {
        /// Until the agent is ready.
        package var ready = Duration.seconds(30)
        /// Until an expectation without a limit of its own is met.
        package var expectation = Duration.seconds(60)
        /// Until the agent is quiet, before the person speaks all the same.
        package var quiet = Duration.seconds(30)
        /// Until the event of a `send_after` comes.
        package var sendAfter = Duration.seconds(30)
        /// For the rest of a reply that the judge does not like, once the agent is quiet.
        package var rest = Duration.seconds(2)

        /// Makes the usual limits.
        package init() {}
    }

    enum Stage: Sendable {
        case beginning(until: Duration)
        case holding(Hold)
        case matching(Match)
        case over
    }

    /// What a turn waits for before the person acts.
    enum Hold: Sendable {
        case time(Duration)
        case event(ScriptEvent.Kind, delay: Duration, until: Duration)
        case quiet(until: Duration)
        /// The end of the reply before, in a turn in which the person does nothing.
        case silence(until: Duration)
    }

    let scenario: ScriptScenario
    let limits: Limits
    var events: AgentEvents
    var stage: Stage
    var turn = 0
    /// What was said so far, for the judge.
    var conversation: [ChatMessage] = []
    var actions: [Action] = []
    /// When an expectation was met last.
    var lastMet = Duration.zero
    private var isReady = false
    private let began: Duration

    /// What became of it so far.
    package private(set) var turns: [ScriptResult.Turn]
    /// Why it failed.
    package private(set) var failures: [ScriptFailure] = []

    /// A scenario whose agent is being called at `now`.
    package init(_ scenario: ScriptScenario, limits: Limits = Limits(), at now: Duration) {
        self.scenario = scenario
        self.limits = limits
        began = now
        events = AgentEvents(agentSpeaks: scenario.agentSpeaks)
        turns = scenario.turns.enumerated().map {
            ScriptResult.Turn(index: $0.offset, user: $0.element.user ?? $0.element.keys)
        }
        stage = .beginning(until: now + limits.ready)
    }

    /// The result, once it is over; its times count from the call.
    package func result(run: Int, at now: Duration) -> ScriptResult {
        var (turns, events) = (turns, events.seen)
        for index in turns.indices { turns[index].began = turns[index].began.map { $0 - began } }
        for index in events.indices { events[index].at -= began }
        return ScriptResult(
            name: scenario.name,
            file: scenario.file,
            run: run,
            status: failures.isEmpty ? .passed : .failed,
            turns: turns,
            failures: failures,
            duration: now - began,
            events: events
        )
    }

    // MARK: - What comes

    /// Takes a message of the agent.
    package mutating func receive(_ message: JSONValue, at now: Duration) -> [Action] {
        if message["type"]?.text == "bot-ready" { isReady = true }
        events.receive(message, at: now)
        return advance(now)
    }

    /// Learns that the agent's voice is being transcribed.
    package mutating func transcriptionBegan() { events.transcriptionBegan() }

    /// Takes the transcript of what the agent began to say at `began`.
    package mutating func transcribed(_ text: String, began: Duration, at now: Duration) -> [Action] {
        events.transcribed(text, began: began, at: now)
        return advance(now)
    }

    /// Takes the judge's verdict on the question asked last.
    package mutating func decided(_ verdict: JudgeVerdict, at now: Duration) -> [Action] {
        take(verdict, at: now)
        return advance(now)
    }

    /// Learns that the agent has hung up.
    package mutating func agentEnded(at now: Duration) -> [Action] {
        events.ended(at: now)
        return advance(now)
    }

    /// Learns that the run cannot go on, or that nothing can be said of it.
    package mutating func broke(_ kind: ScriptFailure.Kind, _ reason: String) -> [Action] {
        fail(ScriptFailure(turn: turns.indices.contains(turn) ? turn : -1, event: "run", kind: kind, reason: reason))
        if case .over = stage { return [] }
        stage = .over
        return [.finish]
    }

    /// Takes the time.
    package mutating func tick(at now: Duration) -> [Action] { advance(now) }

    private mutating func advance(_ now: Duration) -> [Action] {
        while step(now) {}
        defer { actions = [] }
        return actions
    }

    /// Goes on as far as one step; false if it has to wait.
    private mutating func step(_ now: Duration) -> Bool {
        switch stage {
        case .over: return false
        case .beginning(let limit):
            if isReady {
                turn = -1
                beginNextTurn(now)
                return true
            }
            guard now >= limit || events.hasEnded else { return false }
            turn = -1
            if events.hasEnded {
                end(.closedBeforeReady, "bot-ready", "the agent hung up before it was ready")
                return true
            }
            end(.handshakeTimeout, "bot-ready", "the agent was not ready within \(Self.text(limits.ready))")
            return true
        case .holding(let hold): return holdOn(hold, now)
        case .matching(let match): return meet(match, now)
        }
    }

    // MARK: - Turns

    mutating func beginNextTurn(_ now: Duration) {
        turn += 1
        guard turn < scenario.turns.count else { return finish() }
        events.beginTurn()
        turns[turn].began = now
        stage = .holding(hold(scenario.turns[turn], now))
    }

    private func hold(_ turn: ScriptTurn, _ now: Duration) -> Hold {
        if let after = turn.sendAfter {
            let delay = Duration.milliseconds(after.delay)
            guard let event = after.event else { return .time(now + delay) }
            return .event(event, delay: delay, until: now + limits.sendAfter)
        }
        if turn.sends { return .quiet(until: now + limits.quiet) }
        let isIdle = self.turn == 0 || !events.isSpeaking && events.isTranscribed
        return isIdle ? .time(now) : .silence(until: now + limits.quiet)
    }

    private mutating func holdOn(_ hold: Hold, _ now: Duration) -> Bool {
        switch hold {
        case .time(let time): guard now >= time else { return false }
        case .event(let kind, let delay, let limit):
            if let seen = events.time(of: kind) {
                guard now >= seen + delay else { return false }
            } else if events.hasEnded {
                end(
                    .botEnded,
                    kind.rawValue,
                    "the agent hung up before \(kind.rawValue), after which the person was to act"
                )
                return true
            } else {
                guard now >= limit else { return false }
                let reason =
                    "no \(kind.rawValue) came within \(Self.text(limits.sendAfter)), after which the person was to act"
                end(.sendAfterTimeout, kind.rawValue, reason)
                return true
            }
        case .quiet(let limit): guard !events.isSpeaking && events.isTranscribed || now >= limit else { return false }
        case .silence(let limit):
            guard !events.isSpeaking && events.isTranscribed || now >= limit else { return false }
            events.personListens(at: now)
        }
        act(now)
        return true
    }

    private mutating func act(_ now: Duration) {
        let turn = scenario.turns[turn]
        if turn.sends {
            events.personActs(at: now)
            let said = turn.user ?? "(keys of a telephone: \(turn.keys ?? ""))"
            conversation.append(ChatMessage(.user, said))
            actions.append(.act(turn))
        }
        turns[self.turn].began = now
        stage = .matching(Match(anchor: now, since: 0))
        beginExpectation(0, now)
    }

    /// Looks at a turn's next expectation, or ends the turn.
    mutating func beginExpectation(_ index: Int, _ now: Duration) {
        guard case .matching(let match) = stage else { return }
        guard index < scenario.turns[turn].expect.count else { return endTurn(now) }
        let expectation = scenario.turns[turn].expect[index]
        var next = Match(anchor: match.anchor, since: expectation.origin == .turnStart ? 0 : events.position)
        next.index = index
        stage = .matching(next)
    }

    private mutating func endTurn(_ now: Duration) {
        let hasFailed = failures.contains { $0.turn == turn }
        turns[turn].hasPassed = !hasFailed
        if hasFailed, scenario.stopsOnFailure { finish() } else { beginNextTurn(now) }
    }

    private mutating func finish() {
        stage = .over
        actions.append(.finish)
    }

    /// Fails the turn before its first expectation.
    private mutating func end(_ kind: ScriptFailure.Kind, _ event: String, _ reason: String) {
        fail(ScriptFailure(turn: turn, event: event, kind: kind, reason: reason))
        if turns.indices.contains(turn) { turns[turn].hasPassed = false }
        finish()
    }

    private mutating func fail(_ failure: ScriptFailure) {
        failures.append(failure)
        if turns.indices.contains(failure.turn) { turns[failure.turn].hasPassed = false }
    }

    // MARK: - What expectations come to

    mutating func met(_ match: Match, _ summary: String, at time: Duration?, _ now: Duration) {
        let event = scenario.turns[turn].expect[match.index].event.rawValue
        lastMet = now
        turns[turn].checks.append(
            .init(
                index: match.index,
                event: event,
                isMet: true,
                match: summary,
                milliseconds: time.map { ($0 - match.anchor).milliseconds }
            )
        )
        beginExpectation(match.index + 1, now)
    }

    /// - Parameter endsTurn: whether the turn's later expectations are not looked at.
    mutating func missed(
        _ match: Match,
        _ kind: ScriptFailure.Kind,
        _ reason: String,
        endsTurn: Bool = false,
        _ now: Duration
    ) {
        let event = scenario.turns[turn].expect[match.index].event.rawValue
        turns[turn].checks.append(.init(index: match.index, event: event, isMet: false))
        fail(ScriptFailure(turn: turn, expectation: match.index, event: event, kind: kind, reason: reason))
        if endsTurn { endTurn(now) } else { beginExpectation(match.index + 1, now) }
    }

    static func text(_ duration: Duration) -> String { "\(Int(duration.milliseconds.rounded())) ms" }
}
