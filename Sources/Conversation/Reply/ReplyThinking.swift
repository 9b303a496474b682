internal import VoiceCore

/// The thinking half of one reply: asks the model, hands on what it says, makes the calls that it wants, and asks again with their
/// results until it only speaks.
struct ReplyThinking {
    /// Where the words go.
    enum Output: Sendable {
        /// To the voice, and to what bridges a wait for them, if anything does.
        case spoken(ClauseQueue, ReplyBridge?)
        /// They are read.
        case written
    }

    /// Times that a model may call in one reply. Then its calls are refused, once with a word to it, after which what it calls
    /// is nothing. The tools stay in the prompt: without them all of it would have to be read again.
    static let mostRounds = 5
    static let enough = "You have called often enough for one answer. Answer now with what you know."

    private let loop: ReplyLoop
    private let epoch: Int
    /// Who answers; another one once a call handed the conversation over.
    private var agent: Roster.Agent
    private let urgency: Urgency
    var output: Output
    private var segmenter: any Segmenter
    private var tokens = 0
    /// Whether anything went to the voice.
    private(set) var hasSegment = false
    /// Bytes that went out.
    private var length: Int
    /// Whether the next words follow a call or a filler, and may need a space before them.
    private var begins: Bool
    private var usage: ReplyUsage?

    /// - Parameter said: what the person heard of this reply before.
    init(
        _ loop: ReplyLoop,
        epoch: Int,
        agent: Roster.Agent,
        urgency: Urgency,
        output: Output,
        after said: String = ""
    ) {
        length = said.utf8.count
        begins = !said.isEmpty
        self.loop = loop
        self.epoch = epoch
        self.agent = agent
        self.urgency = urgency
        self.output = output
        let isReference =
            switch output {
            case .spoken: loop.configuration.policy == .reference
            case .written: false
            }
        segmenter = isReference ? ReferenceSegmenter() : ClauseSegmenter(configuration: loop.configuration.clauses)
    }

    /// Thinks until the answer is complete, or nobody wants it any more. Cancellation ends it within one token.
    /// - Throws: what the model's engine throws.
    mutating func run(_ messages: [ChatMessage]) async throws(VoiceError) {
        defer { loop.report(.reply(epoch: epoch, .computed(tokens: tokens))) }
        var conversation = messages
        for round in 0...(Self.mostRounds + 1) {
            bridge?.ask()
            guard let answer = try await ask(conversation, round) else { return }
            bridge?.rest()
            if let rest = segmenter.finish() { say(rest) }
            guard !answer.calls.isEmpty, await mayCall(answer), let outcomes = await make(answer) else { return }
            conversation += answer.messages(outcomes)
            for (call, outcome) in zip(answer.calls, outcomes) where outcome.succeeded {
                guard let successor = agent.successor(call) else { continue }
                agent = loop.roster[successor]
                conversation.instruct(agent.systemPrompt)
                break
            }
            begins = true
        }
    }

    /// Says something else than the model's words, such as an apology.
    mutating func say(instead text: String) {
        let text = joined(text)
        loop.report(.reply(epoch: epoch, .clause(text)))
        speak(text)
    }

    /// Text as it follows what was said, with a space where it needs one.
    private mutating func joined(_ text: String) -> String {
        takeFiller()
        defer { begins = false }
        return begins && length > 0 && text.first?.isWhitespace == false ? " " + text : text
    }

    private func speak(_ clause: String) {
        guard case .spoken(let clauses, _) = output else { return }
        clauses.send(ClauseQueue.Item(clause: clause, voice: agent.synthesizer, tokens: tokens))
    }

    // MARK: - The model

    /// Asks the model once.
    /// - Returns: nil when nobody wants the reply any more.
    private mutating func ask(_ conversation: [ChatMessage], _ round: Int) async throws(VoiceError) -> ModelAnswer? {
        var answer = ModelAnswer()
        var options = loop.options(of: agent)
        // A draft's turn may not be over, which the words may tell.
        options.judgesCompleteness = round == 0 && urgency.level == .speculation
        let asked = loop.clock.now
        let reply = loop.chat.reply(
            to: conversation,
            sampling: loop.configuration.sampling,
            options: options,
            urgency: urgency
        )
        do {
            for try await event in reply {
                take(event, round, since: asked, &answer)
                guard await mayGoOn() else { return nil }
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "the language model failed")
        }
        return Task.isCancelled ? nil : answer
    }

    private mutating func take(_ event: ReplyEvent, _ round: Int, since asked: Duration, _ answer: inout ModelAnswer) {
        // Where nothing was offered, or enough was called, what is called all the same is nothing.
        let mayCall = !agent.tools.declarations.isEmpty && round <= Self.mostRounds
        switch event {
        case .text(let piece):
            countToken()
            answer.said += piece
            loop.report(.reply(epoch: epoch, .text(piece)))
            for clause in segmenter.feed(piece) { say(clause) }
        // Never spoken; the model sees it again with the results of its calls.
        case .reasoning(let piece): answer.thought += piece
        case .toolCall(let call):
            guard mayCall else { return }
            countToken()
            answer.add(call, refusal: round == Self.mostRounds ? Self.enough : nil)
        case .malformedCall(let call):
            guard mayCall else { return }
            countToken()
            answer.add(call, id: "unread_\(epoch)_\(round)")
        case .delayed: bridge?.delay()
        case .completeness(let probability):
            loop.trace.span("words", "P(end) \(probability)", from: asked, to: loop.clock.now, ["epoch": "\(epoch)"])
            loop.report(.reply(epoch: epoch, .completeness(probability)))
        case .finished(let used, _):
            var all = used
            all.generatedTokens += usage?.generatedTokens ?? 0
            usage = all
            loop.report(.reply(epoch: epoch, .generated(all)))
        }
    }

    private mutating func countToken() {
        tokens += 1
        if tokens == 1 { loop.report(.reply(epoch: epoch, .firstToken(loop.clock.now))) }
    }

    /// Waits until more is wanted. Of a draft that is for nothing, more than a clause would be waste.
    private func mayGoOn() async -> Bool {
        if case .spoken(let clauses, _) = output {
            if hasSegment { guard await loop.playout.waitForRelease(epoch: epoch) else { return false } }
            await clauses.waitForCredit()
        }
        return !Task.isCancelled
    }

    private mutating func say(_ clause: String) {
        bridge?.speak()
        let clause = joined(clause)
        length += clause.utf8.count
        loop.report(.reply(epoch: epoch, .clause(clause)))
        guard case .spoken = output else { return }
        if !hasSegment { loop.report(.reply(epoch: epoch, .firstSegment(loop.clock.now))) }
        hasSegment = true
        speak(clause)
        // The first audio waits for the voice from now on, and more text must not be in its way.
        urgency.level = .refill(by: nil)
    }

    // MARK: - Waiting

    /// What bridges the wait for words, if anything does.
    private var bridge: ReplyBridge? { if case .spoken(_, let bridge) = output { bridge } else { nil } }

    /// Counts what was said meanwhile.
    private mutating func takeFiller() {
        guard let filler = bridge?.takeFiller() else { return }
        length += filler.utf8.count
        begins = true
    }

    // MARK: - The calls

    /// Whether the calls may be made. What changes the world is not done for an answer that may never be heard.
    private func mayCall(_ answer: ModelAnswer) async -> Bool {
        if case .spoken = output, answer.calls.contains(where: agent.tools.hasEffects) {
            return await loop.playout.waitForRelease(epoch: epoch)
        }
        return !Task.isCancelled
    }

    /// Makes calls together.
    /// - Returns: how they ended, in their order; nil when nobody wants the reply any more. Those that the policy of their tool keeps
    ///   go on then.
    private mutating func make(_ answer: ModelAnswer) async -> [ToolOutcome]? {
        let (calls, tools) = (answer.calls, agent.tools)
        takeFiller()
        var outcomes = answer.refused
        var round = ToolRound(textEnd: length, calls: calls, hasEffects: calls.contains(where: tools.hasEffects))
        for (number, outcome) in outcomes { round.outcomes[calls[number].id] = outcome }
        loop.report(.reply(epoch: epoch, .calls(round)))
        let events = Mailbox<ToolLoop.Event>(capacity: 2 * calls.count, overflow: .refuseNewest, clock: loop.clock)
        var stops: [(call: ToolCall, stop: Mailbox<Never>)] = []
        for (number, call) in calls.enumerated() where outcomes[number] == nil {
            let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: loop.clock)
            stops.append((call, stop))
            let request = ToolLoop.Request(
                epoch: epoch,
                call: call,
                agent: agent.name,
                number: number,
                stop: stop,
                events: events
            )
            if !loop.tools.requests.send(request) {
                outcomes[number] = ToolOutcome("Too many calls are being made.", succeeded: false)
            }
        }
        var hasFiller = false
        while outcomes.count < calls.count {
            guard let event = await events.next() else {
                for (call, stop) in stops where !tools.isKept(call) { stop.finish() }
                return nil
            }
            switch event {
            case .slow(let filler):
                // One is enough, and none where the agent has just said what it does.
                guard !hasFiller, bridge?.isOver != true, answer.said.allSatisfy(\.isWhitespace) else { continue }
                hasFiller = true
                bridge?.end()
                begins = true
                say(filler)
                begins = true
            case .ended(let number, let outcome): outcomes[number] = outcome
            }
        }
        return calls.indices.map { outcomes[$0] ?? ToolOutcome("It was lost.", succeeded: false) }
    }
}
