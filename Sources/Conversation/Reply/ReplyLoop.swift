internal import Audio
internal import VoiceCore

/// Makes a session's replies, one at a time: language model, clauses, voice, loudspeaker.
///
/// Runs as one task of the session. Each reply is a child task of it, and interrupting a reply is cancelling that task:
/// nothing of it can be spoken, billed or remembered afterwards.
struct ReplyLoop {
    /// A piece of work. It ends early once its `stop` is finished.
    struct Job: Sendable {
        enum Work: Sendable {
            /// Answer the conversation, behind what was said of the reply before; empty for nothing.
            case answer(epoch: Int, [ChatMessage], after: String)
            /// Answer the conversation in writing.
            case write(epoch: Int, [ChatMessage])
            /// Speak this text as it is.
            case say(epoch: Int, String)
            /// Speak this text; more of the reply comes.
            case begin(epoch: Int, String)
            /// Bring the conversation into the model's memory while nobody waits.
            case prefill([ChatMessage])
        }

        var work: Work
        /// Who does it.
        var agent: String
        var stop: Mailbox<Never>
        /// How pressing it is; the session and the loop keep it up to date.
        var urgency: Urgency
    }

    let chat: any Chat
    let tools: ToolLoop
    let roster: Roster
    let playout: Playout
    let playoutRate: SampleRate
    let configuration: ConversationConfiguration
    let clock: any SessionClock
    let jobs: Mailbox<Job>
    let trace: SessionTrace
    let report: @Sendable (SessionInput) -> Void

    /// Does jobs until the mailbox ends.
    func run() async {
        while let job = await jobs.next() {
            await perform(job)
        }
    }

    /// Runs a job as a child task and cancels it when its stop comes first.
    private func perform(_ job: Job) async {
        await withTaskGroup(of: Void.self) { group in
            // Each child hands its unit of work over to this task when it ends, so that time cannot move in between.
            clock.workBegan()
            clock.workBegan()
            clock.workEnded()
            group.addTask { await work(job.work, roster[job.agent], job.urgency) }
            group.addTask { _ = await job.stop.next() }
            await group.next()
            group.cancelAll()
            await group.next()
            clock.workEnded()
        }
    }

    private func work(_ work: Job.Work, _ agent: Roster.Agent, _ urgency: Urgency) async {
        switch work {
        case .answer(let epoch, let messages, let said):
            await attempt(epoch) { () async throws(VoiceError) in
                try await answer(messages, epoch, agent, urgency, after: said)
            }
        case .write(let epoch, let messages):
            await attempt(epoch) { () async throws(VoiceError) in try await write(messages, epoch, agent, urgency) }
        case .say(let epoch, let text):
            await attempt(epoch) { () async throws(VoiceError) in
                try await say(text, epoch, agent, urgency)
            }
        case .begin(let epoch, let text):
            do { try await say(text, epoch, agent, urgency) } catch {
                guard error.code != .cancelled else { return }
                report(.failure(error))
            }
        case .prefill(let messages):
            do { try await chat.prefill(messages, options: options(of: agent), urgency: urgency) } catch {
                if error.code != .cancelled { report(.failure(error)) }
            }
        }
    }

    /// Makes a reply; a failure is reported and ends it after what was spoken.
    private func attempt(_ epoch: Int, _ make: () async throws(VoiceError) -> Void) async {
        do {
            try await make()
        } catch {
            guard error.code != .cancelled, !Task.isCancelled else { return }
            report(.reply(epoch: epoch, .failed(error)))
        }
        guard !Task.isCancelled else { return }
        report(.reply(epoch: epoch, .completed))
        await playout.complete(epoch: epoch)
    }

    /// What the model is offered.
    func options(of agent: Roster.Agent) -> ChatOptions {
        ChatOptions(tools: agent.tools.declarations, reasoning: configuration.reasoning)
    }

    /// Speaks a text as it is.
    private func say(
        _ text: String,
        _ epoch: Int,
        _ agent: Roster.Agent,
        _ urgency: Urgency
    ) async throws(VoiceError) {
        report(.reply(epoch: epoch, .clause(text)))
        var voice = Voice(loop: self, epoch: epoch, urgency: urgency)
        try await voice.speak(text, with: agent.synthesizer)
    }

    /// Has the model answer in writing: what it says is read as it comes.
    private func write(
        _ messages: [ChatMessage],
        _ epoch: Int,
        _ agent: Roster.Agent,
        _ urgency: Urgency
    ) async throws(VoiceError) {
        var thinking = ReplyThinking(self, epoch: epoch, agent: agent, urgency: urgency, output: .written)
        try await thinking.run(messages)
    }

    /// Thinks and speaks at the same time: the model goes on while clauses are synthesised, as far as its credit goes.
    private func answer(
        _ messages: [ChatMessage],
        _ epoch: Int,
        _ agent: Roster.Agent,
        _ urgency: Urgency,
        after said: String
    ) async throws(VoiceError) {
        let clauses = ClauseQueue(credit: configuration.policy == .reference ? 0 : ClauseQueue.credit, clock: clock)
        let failure = await withTaskGroup(of: VoiceError?.self) { group in
            // This task's unit of work and one more go to the children; each hands its own back when it ends.
            clock.workBegan()
            group.addTask { await think(messages, epoch, agent, Urgency(partOf: urgency), clauses, after: said) }
            group.addTask { await speak(clauses, Voice(loop: self, epoch: epoch, urgency: urgency)) }
            let first = await group.next() ?? nil
            // Thinking ends before speaking, unless the voice failed or the reply was cut.
            if first != nil { group.cancelAll() }
            clock.workEnded()
            let second = await group.next() ?? nil
            return first ?? second
        }
        if let failure { throw failure }
    }

    private enum Ended: Sendable {
        case thinking(VoiceError?)
        case bridging
    }

    /// Has the model answer, and says so if that takes long.
    private func think(
        _ messages: [ChatMessage],
        _ epoch: Int,
        _ agent: Roster.Agent,
        _ urgency: Urgency,
        _ clauses: ClauseQueue,
        after said: String
    ) async -> VoiceError? {
        defer { clauses.finish() }
        var thinking = ReplyThinking(
            self,
            epoch: epoch,
            agent: agent,
            urgency: urgency,
            output: .spoken(clauses, nil),
            after: said
        )
        // Once is enough.
        guard !configuration.filler.isEmpty, said.isEmpty else { return await think(messages, thinking) }
        let bridge = ReplyBridge(
            configuration.filler,
            epoch: epoch,
            voice: agent.synthesizer,
            clauses: clauses,
            playout: playout,
            clock: clock,
            report: report
        )
        return await withTaskGroup(of: Ended.self) { group in
            // This task's unit of work and one more go to the children; each hands its own back when it ends.
            clock.workBegan()
            thinking.output = .spoken(clauses, bridge)
            group.addTask { [thinking] in .thinking(await think(messages, thinking)) }
            group.addTask {
                await bridge.run()
                return .bridging
            }
            var failure: VoiceError?
            for isLast in [false, true] {
                if case .thinking(let ended)? = await group.next() {
                    failure = ended
                    group.cancelAll()
                }
                if !isLast { clock.workEnded() }
            }
            return failure
        }
    }

    /// Has the model answer, clause by clause. A draft stops after its first clause until its turn is over.
    private func think(_ messages: [ChatMessage], _ thinking: ReplyThinking) async -> VoiceError? {
        var thinking = thinking
        do throws(VoiceError) {
            try await thinking.run(messages)
        } catch {
            guard error.code != .cancelled, !thinking.hasSegment, !configuration.apology.isEmpty else { return error }
            // A person who hears nothing does not know that something failed: say so.
            report(.failure(error))
            thinking.say(instead: configuration.apology)
        }
        return nil
    }

    private func speak(_ clauses: ClauseQueue, _ voice: consuming Voice) async -> VoiceError? {
        do throws(VoiceError) {
            while let item = await clauses.next() {
                guard try await voice.speak(item.clause, with: item.voice) else { return nil }
                clauses.spoke(tokens: item.tokens)
            }
            return nil
        } catch {
            return error
        }
    }
}

extension ReplyLoop {
    /// The speaking half of one reply: synthesises clauses at the synthesiser's rate, plays them at the transport's.
    struct Voice {
        /// Audio that is to be left when the next text comes, for the voice needs time as well.
        private static let reserve = Duration.milliseconds(80)

        private let loop: ReplyLoop
        let epoch: Int
        private var resampler: Resampler?
        /// The rate of the voice that spoke last.
        private var rate: SampleRate?
        private var hasAudio = false
        /// Of the text that is still to come.
        let urgency: Urgency

        init(loop: ReplyLoop, epoch: Int, urgency: Urgency) {
            self.loop = loop
            self.epoch = epoch
            self.urgency = urgency
        }

        /// Speaks a clause. False if the reply was cut meanwhile.
        @discardableResult
        mutating func speak(_ clause: String, with synthesizer: any SpeechSynthesizer) async throws(VoiceError) -> Bool
        {
            guard await loop.playout.beginClause(clause, epoch: epoch) else { return false }
            if synthesizer.sampleRate != rate {
                rate = synthesizer.sampleRate
                resampler = Resampler(from: synthesizer.sampleRate, to: loop.playoutRate)
            }
            let began = loop.clock.now
            defer {
                let letters = "\(clause.utf8.count)"
                loop.trace.span("voice", "reply \(epoch)", from: began, to: loop.clock.now, ["letters": letters])
            }
            do {
                for try await chunk in synthesizer.speak(clause, urgency: urgency) {
                    let samples = resampler?.feed(chunk.samples) ?? []
                    guard await play(samples, chunk.words, synthesizer.sampleRate) else { return false }
                }
            } catch {
                throw VoiceError.wrapping(error, doing: "the voice \(synthesizer.name) failed")
            }
            guard await play(resampler?.flush() ?? [], [], synthesizer.sampleRate) else { return false }
            await loop.playout.endClause(epoch: epoch)
            if hasAudio, urgency.level != .speculation {
                urgency.level = .refill(by: await loop.playout.runsDry(epoch: epoch).map { $0 - Self.reserve })
            }
            return true
        }

        private mutating func play(_ samples: [Float], _ words: [SpokenWord], _ rate: SampleRate) async -> Bool {
            if !hasAudio, !samples.isEmpty {
                hasAudio = true
                loop.report(.reply(epoch: epoch, .firstAudio(loop.clock.now)))
            }
            let (to, from) = (loop.playoutRate.hertz, rate.hertz)
            let words = words.map { SpokenWord(textEnd: $0.textEnd, sampleEnd: $0.sampleEnd * to / from) }
            return await loop.playout.append(samples, words: words, epoch: epoch)
        }
    }
}
