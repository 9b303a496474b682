internal import VoiceCore

/// The person of a scenario: asks its questions in order and writes down what comes of each.
struct Questioner {
    /// After its time-out an answer gets so long to end, because it is interrupted then.
    private static let grace = Duration.seconds(5)

    private let scenario: Scenario
    private let line: any QuestionLine
    private let inbox: Mailbox<LineEvent>
    private let book: CallBook
    private let clock: any SessionClock
    private let timestamp: @Sendable () -> String
    private var asked = 0
    private var hasEnded = false

    init(
        _ scenario: Scenario,
        line: any QuestionLine,
        inbox: Mailbox<LineEvent>,
        book: CallBook,
        clock: any SessionClock,
        timestamp: @escaping @Sendable () -> String
    ) {
        self.scenario = scenario
        self.line = line
        self.inbox = inbox
        self.book = book
        self.clock = clock
        self.timestamp = timestamp
    }

    /// Asks all questions. What is missed is asked for once more.
    /// - Throws: what the conversation could not begin for, and what the person's voice throws.
    mutating func askAll(_ onTurn: @Sendable (TurnRecord) -> Void) async throws(VoiceError) -> [TurnRecord] {
        try await begin()
        var records: [TurnRecord] = []
        for (index, turn) in scenario.turns.enumerated() {
            let record = try await ask(turn.input, turn: index, isRecovery: false)
            records.append(record)
            onTurn(record)
            guard !hasEnded, !Task.isCancelled else { break }
            guard misses(turn, records), !scenario.recovery.isEmpty else { continue }
            let recovery = try await ask(scenario.recovery, turn: index, isRecovery: true)
            records.append(recovery)
            onTurn(recovery)
        }
        return records
    }

    /// Waits until the agent listens.
    private mutating func begin() async throws(VoiceError) {
        while let event = await inbox.next() {
            switch event {
            case .began: return
            case .ended(let error):
                hasEnded = true
                throw error ?? VoiceError(.fault, "the conversation ended before it began")
            case .news, .settled, .late, .lost: break
            }
        }
        throw VoiceError(.cancelled, "the evaluation was stopped")
    }

    /// Ends the conversation and waits until it has ended.
    mutating func hangUp() async {
        line.hangUp()
        while !hasEnded, let event = await inbox.next() { if case .ended = event { hasEnded = true } }
    }

    /// Whether a call is due that was made neither now nor a turn early. One with other arguments was made.
    private func misses(_ turn: ScenarioTurn, _ records: [TurnRecord]) -> Bool {
        guard let last = records.last, last.failure == nil else { return false }
        let made = records.filter { $0.turn >= last.turn - 1 }.flatMap(\.newCalls).map(\.name)
        return turn.calls.contains { !made.contains($0.name) }
    }

    /// Asks a question and waits until it is answered, or will not be.
    private mutating func ask(
        _ text: String,
        turn: Int,
        isRecovery: Bool
    ) async throws(VoiceError) -> TurnRecord {
        var record = TurnRecord(turn: turn, isRecovery: isRecovery, timestamp: timestamp(), input: text)
        book.begin(turn)
        asked += 1
        let question = asked
        try await line.ask(text)
        let began = clock.now
        let failure = await withTaskGroup(of: Void.self) { group -> VoiceError? in
            clock.workBegan()
            group.addTask { [clock, inbox, scenario] in
                defer { clock.workEnded() }
                let deadline = began + scenario.turnTimeout
                guard (try? await clock.sleep(until: deadline)) != nil else { return }
                inbox.send(.late(question: question))
                guard (try? await clock.sleep(until: deadline + Self.grace)) != nil else { return }
                inbox.send(.lost(question: question))
            }
            defer { group.cancelAll() }
            while let event = await inbox.next() {
                switch event {
                case .news(let news, let at): take(news, at - began, &record)
                case .settled(let at):
                    record.latency = (at - began).milliseconds
                    return nil
                case .late(question):
                    record.failure = .timedOut
                    line.giveUp()
                case .lost(question):
                    record.latency = (clock.now - began).milliseconds
                    return nil
                case .late, .lost, .began: break
                case .ended(let error):
                    hasEnded = true
                    record.failure = record.failure ?? .engine("the conversation ended")
                    return error
                }
            }
            return nil
        }
        if let failure { throw failure }
        return record
    }

    /// Writes down a piece of news.
    private func take(_ news: SessionEvent, _ after: Duration, _ record: inout TurnRecord) {
        switch news {
        case .reply(_, .text):
            record.firstToken = record.firstToken ?? after.milliseconds
        case .reply(_, .toolBegan(let call)):
            record.firstToken = record.firstToken ?? after.milliseconds
            record.calls.append(TurnRecord.Call(call: call, isRepetition: book.note(call)))
        case .reply(_, .toolEnded(let call, let outcome)):
            record.results.append(TurnRecord.Result(name: call.name, text: outcome.text))
            guard !outcome.succeeded, let index = record.calls.lastIndex(where: { $0.call.id == call.id }) else {
                return
            }
            record.calls[index].isRefused = true
        case .agentTranscript(_, let heard, _, true, _):
            // Of a question that was taken for two, both answers count.
            record.answer += (record.answer.isEmpty ? "" : " ") + heard.trimmed
        case .userTranscript(_, let text, true):
            guard text != record.input else { return }
            record.heard = (record.heard.map { $0 + " " } ?? "") + text
        case .turnReport(let report):
            record.usage = report.llm ?? record.usage
            if let voiceToVoice = report.voiceToVoice {
                record.voiceToVoice = record.voiceToVoice ?? voiceToVoice
                record.firstToken = report.tiles?.llmFirstToken
            }
        case .error(_, let message):
            record.failure = record.failure ?? .engine(message)
        case .turnDropped(_, let reason):
            if record.calls.isEmpty { record.failure = record.failure ?? .engine(reason) }
        case .userSpeaking, .agentSpeaking, .userTranscript, .agentTranscript, .reply, .job, .handedOver: break
        }
    }
}
