internal import VoiceCore

extension ScriptMachine {
    /// An expectation that is looked at.
    struct Match: Sendable {
        /// What it waits for.
        enum Wait: Sendable, Equatable {
            case event
            /// The judge's verdict on what an event, or several, said.
            case verdict
            /// More of a reply that the judge said no to.
            case rest(until: Duration)
        }

        /// When the person acted.
        var anchor: Duration
        /// From which position of the turn it looks.
        var since: Int
        /// Its number in the turn.
        var index = 0
        var wait = Wait.event
        /// The reply so far.
        var reply = ""
        /// The last event that was taken.
        var event: ScriptEvent?
        /// Why the reply is not enough yet.
        var reason = ""
        /// The calls that were found.
        var found: [ScriptEvent] = []
    }

    private var expectation: (Match) -> ScriptExpectation {
        { [turn, scenario] in scenario.turns[turn].expect[$0.index] }
    }

    private func budget(_ match: Match) -> Duration {
        expectation(match).within.map { .milliseconds($0) } ?? limits.expectation
    }

    /// Looks at what came; false if it has to wait.
    mutating func meet(_ match: Match, _ now: Duration) -> Bool {
        let expected = expectation(match)
        switch match.wait {
        case .verdict: return false
        case .rest, .event: break
        }
        if expected.isAbsent { return meetAbsence(match, expected, now) }
        if expected.event.isCall { return meetCalls(match, expected, now) }
        var match = match
        let deadline = match.anchor + budget(match)
        var until = deadline
        if case .rest(let limit) = match.wait { until = events.isSpeaking ? deadline : min(deadline, limit) }
        guard let event = events.take(expected.event, since: match.since, until: until) else {
            // Taking looked at events: from here on they lie in the turn's record.
            guard now > until || isSilentForEver else { return false }
            giveUp(match, expected, now)
            return true
        }
        match.event = event
        if expected.aggregates { addToReply(match, expected, event, now) } else { check(match, expected, event, now) }
        return true
    }

    /// Whether nothing can come any more.
    private var isSilentForEver: Bool { events.hasEnded && events.isTranscribed }

    private mutating func giveUp(_ match: Match, _ expected: ScriptExpectation, _ now: Duration) {
        if case .rest = match.wait { return missed(match, .judgeNo, match.reason, now) }
        if match.event != nil {
            let kind: ScriptFailure.Kind = expected.criterion == nil ? .textMismatch : .judgeContinue
            return missed(match, kind, "not enough within \(Self.text(budget(match))): \(match.reason)", now)
        }
        let name = expected.event.rawValue
        guard now > match.anchor + budget(match) else {
            return missed(match, .botEnded, "the agent hung up before a \(name)", endsTurn: true, now)
        }
        missed(match, .timeout, "no \(name) came within \(Self.text(budget(match)))\(came(match))", endsTurn: true, now)
    }

    /// What came instead, for a reader.
    private func came(_ match: Match) -> String {
        let names = events.unclaimed(since: match.since).map { event in
            let words = event.summary.prefix(60)
            let said = words.isEmpty ? "" : " '\(words)'"
            return "\(event.kind.rawValue)\(said) at \(Self.text(event.at - match.anchor))"
        }
        return names.isEmpty ? "; nothing else came" : "; there came \(names.suffix(8).joined(separator: ", "))"
    }

    // MARK: - Texts

    /// Checks one event.
    private mutating func check(_ match: Match, _ expected: ScriptExpectation, _ event: ScriptEvent, _ now: Duration) {
        if let contains = expected.contains, !Self.holds(event.text, contains) {
            return missed(match, .textMismatch, "'\(event.text.trimmed)' does not contain '\(contains)'", now)
        }
        if let problem = excluded(event.text, expected) { return missed(match, .textPresent, problem, now) }
        guard let criterion = expected.criterion else {
            if expected.event.isReply, !event.text.trimmed.isEmpty {
                conversation.append(ChatMessage(.assistant, event.text.trimmed))
            }
            return met(match, event.summary, at: event.at, now)
        }
        guard !event.text.trimmed.isEmpty else {
            return missed(match, .noContent, "\(event.kind.rawValue) has no text to judge", now)
        }
        ask(match, .reply(event.text.trimmed), criterion)
    }

    /// Adds a piece of a reply to what came of it, and checks that.
    private mutating func addToReply(
        _ match: Match,
        _ expected: ScriptExpectation,
        _ event: ScriptEvent,
        _ now: Duration
    ) {
        var match = match
        match.reply += (match.reply.isEmpty ? "" : " ") + event.text
        match.wait = .event
        if let problem = excluded(match.reply, expected) { return missed(match, .textPresent, problem, now) }
        if let contains = expected.contains, !Self.holds(match.reply, contains) {
            match.reason = "'\(match.reply.trimmed)' does not contain '\(contains)'"
            stage = .matching(match)
            return
        }
        guard let criterion = expected.criterion else {
            if expected.event.isReply { conversation.append(ChatMessage(.assistant, match.reply.trimmed)) }
            return met(match, match.reply.trimmed, at: event.at, now)
        }
        guard !match.reply.trimmed.isEmpty else {
            match.reason = "the reply has no text yet"
            stage = .matching(match)
            return
        }
        ask(match, .reply(match.reply.trimmed), criterion)
    }

    private func excluded(_ text: String, _ expected: ScriptExpectation) -> String? {
        guard let excludes = expected.excludes, Self.holds(text, excludes) else { return nil }
        return "'\(text.trimmed)' contains '\(excludes)'"
    }

    /// Whether a text holds another, whatever the white space.
    private static func holds(_ text: String, _ part: String) -> Bool {
        func plain(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        return part.isEmpty || plain(text).contains(plain(part))
    }

    // MARK: - The judge

    private mutating func ask(_ match: Match, _ subject: JudgeQuestion.Subject, _ criterion: String) {
        var match = match
        match.wait = .verdict
        stage = .matching(match)
        actions.append(.ask(JudgeQuestion(subject: subject, criterion: criterion, conversation: conversation)))
    }

    mutating func take(_ verdict: JudgeVerdict, at now: Duration) {
        guard case .matching(var match) = stage, match.wait == .verdict, let event = match.event else { return }
        let expected = expectation(match)
        let said = match.reply.trimmed.isEmpty ? event.summary : match.reply.trimmed
        match.reason =
            "the judge said \(verdict.answer.rawValue) to '\(expected.criterion ?? "")'"
            + (verdict.reason.isEmpty ? "" : ": \(verdict.reason)") + "; the agent: '\(said)'"
        match.wait = .event
        if expected.event.isCall {
            guard verdict.answer == .yes else { return missed(match, .judgeNo, match.reason, now) }
            stage = .matching(match)
            return
        }
        switch verdict.answer {
        case .yes:
            conversation.append(ChatMessage(.assistant, said))
            met(match, said, at: event.at, now)
        case .no where !expected.aggregates: missed(match, .judgeNo, match.reason, now)
        case .no:
            match.wait = .rest(until: now + limits.rest)
            stage = .matching(match)
        case .goOn where !expected.aggregates: missed(match, .judgeNo, match.reason, now)
        case .goOn: stage = .matching(match)
        }
    }

    // MARK: - Absence

    private mutating func meetAbsence(_ match: Match, _ expected: ScriptExpectation, _ now: Duration) -> Bool {
        let deadline = match.anchor + budget(match)
        while let event = events.take(expected.event, since: nil, until: deadline) {
            // The rest of the reply that was met is no new one.
            if expected.event == .response, !replyBeganAfterLastMatch { continue }
            let reason =
                "expected no \(event.kind.rawValue) within \(Self.text(budget(match))), but one came: '\(event.summary)'"
            missed(match, .unexpectedEvent, reason, now)
            return true
        }
        guard now > deadline || isSilentForEver else { return false }
        met(match, "no \(expected.event.rawValue)", at: nil, now)
        return true
    }

    private var replyBeganAfterLastMatch: Bool {
        let began = [ScriptEvent.Kind.llmStarted, .botStartedSpeaking].compactMap { events.time(of: $0) }.max()
        return (began ?? .zero) > lastMet
    }

    // MARK: - Calls

    private mutating func meetCalls(_ match: Match, _ expected: ScriptExpectation, _ now: Duration) -> Bool {
        let calls = expected.calls ?? []
        guard match.found.count < calls.count else {
            met(match, match.found.map(\.summary).joined(separator: ", "), at: match.found.map(\.at).max(), now)
            return true
        }
        let call = calls[match.found.count]
        let deadline = match.anchor + budget(match)
        if let event = events.take(expected.event, since: match.since, until: deadline, where: call.accepts) {
            var match = match
            match.event = event
            match.found.append(event)
            stage = .matching(match)
            if let criterion = expected.criterion {
                ask(match, .call(name: event.name ?? "?", arguments: event.arguments ?? [:]), criterion)
            }
            return true
        }
        guard now > deadline || isSilentForEver else { return false }
        let near = events.unclaimed(since: match.since).filter {
            $0.kind == expected.event && (call.name == nil || $0.name == call.name)
        }
        let name = call.name ?? "any function"
        if let arguments = call.arguments, !near.isEmpty {
            let wanted = JSONValue.object(arguments).json
            let reason = "no call of \(name) had \(wanted); there were \(near.map(\.summary).joined(separator: ", "))"
            missed(match, .functionArgsMismatch, reason, now)
        } else {
            let found = match.found.isEmpty ? "" : " besides \(match.found.map(\.summary).joined(separator: ", "))"
            missed(
                match,
                .missingFunctionCall,
                "no \(expected.event.rawValue) of \(name) came\(found)\(came(match))",
                now
            )
        }
        return true
    }
}

extension ScriptExpectation.Call {
    /// Whether a call is this one: the same name, and at least these arguments.
    func accepts(_ event: ScriptEvent) -> Bool {
        guard name == nil || event.name == name else { return false }
        return (arguments ?? [:]).allSatisfy { event.arguments?[$0.key] == $0.value }
    }
}

extension ScriptEvent.Kind {
    /// Whether it carries what the agent says.
    var isReply: Bool { self == .response || self == .llmResponse || self == .ttsResponse }
}
