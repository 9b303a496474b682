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
            /// Answer the conversation.
            case answer(epoch: Int, [ChatMessage])
            /// Speak this text as it is.
            case say(epoch: Int, String)
            /// Bring the conversation into the model's memory while nobody waits.
            case prefill([ChatMessage])
        }

        var work: Work
        var stop: Mailbox<Never>
        /// How pressing it is; the session and the loop keep it up to date.
        var urgency: Urgency
    }

    let chat: any Chat
    let synthesizer: any SpeechSynthesizer
    let playout: Playout
    let playoutRate: SampleRate
    let configuration: ConversationConfiguration
    let clock: any SessionClock
    let jobs: Mailbox<Job>
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
            group.addTask { await work(job.work, job.urgency) }
            group.addTask { _ = await job.stop.next() }
            await group.next()
            group.cancelAll()
            await group.next()
            clock.workEnded()
        }
    }

    private func work(_ work: Job.Work, _ urgency: Urgency) async {
        switch work {
        case .answer(let epoch, let messages):
            await attempt(epoch) { () async throws(VoiceError) in
                try await answer(messages, Voice(loop: self, epoch: epoch, urgency: urgency))
            }
        case .say(let epoch, let text):
            await attempt(epoch) { () async throws(VoiceError) in
                var voice = Voice(loop: self, epoch: epoch, urgency: urgency)
                try await voice.speak(text)
            }
        case .prefill(let messages):
            do { try await chat.prefill(messages, urgency: urgency) } catch {
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
        await playout.complete(epoch: epoch)
    }

    private func answer(_ messages: [ChatMessage], _ voice: consuming Voice) async throws(VoiceError) {
        let epoch = voice.epoch
        var tokens = 0
        defer { report(.reply(epoch: epoch, .computed(tokens: tokens))) }
        var segmenter: any Segmenter =
            configuration.policy == .reference
            ? ReferenceSegmenter() : ClauseSegmenter(configuration: configuration.clauses)
        var hasToken = false
        var hasSegment = false
        do {
            let reply = chat.reply(to: messages, sampling: configuration.sampling, urgency: voice.urgency)
            for try await event in reply {
                switch event {
                case .text(let piece):
                    tokens += 1
                    if !hasToken {
                        hasToken = true
                        report(.reply(epoch: epoch, .firstToken(clock.now)))
                    }
                    for clause in segmenter.feed(piece) {
                        if !hasSegment {
                            hasSegment = true
                            report(.reply(epoch: epoch, .firstSegment(clock.now)))
                        }
                        guard try await voice.speak(clause) else { return }
                    }
                case .finished(let usage, _):
                    report(.reply(epoch: epoch, .generated(usage)))
                }
            }
        } catch {
            try await apologise(ifNothingWasSaid: !hasSegment, for: error, voice: &voice)
        }
        guard !Task.isCancelled, let rest = segmenter.finish() else { return }
        if !hasSegment { report(.reply(epoch: epoch, .firstSegment(clock.now))) }
        _ = try await voice.speak(rest)
    }

    /// A person who hears nothing does not know that something failed: say so.
    private func apologise(ifNothingWasSaid: Bool, for error: any Error, voice: inout Voice) async throws(VoiceError) {
        let failure = VoiceError.wrapping(error, doing: "the language model failed")
        guard failure.code != .cancelled, ifNothingWasSaid, !configuration.apology.isEmpty else { throw failure }
        report(.failure(failure))
        try await voice.speak(configuration.apology)
    }
}

extension ReplyLoop {
    /// The speaking half of one reply: synthesises clauses at the synthesiser's rate, plays them at the transport's.
    struct Voice {
        /// Audio that is to be left when the next text comes, for the voice needs time as well.
        private static let reserve = Duration.milliseconds(80)

        private let loop: ReplyLoop
        let epoch: Int
        private var resampler: Resampler
        private var hasAudio = false
        /// Of the text that is still to come.
        let urgency: Urgency

        init(loop: ReplyLoop, epoch: Int, urgency: Urgency) {
            self.loop = loop
            self.epoch = epoch
            self.urgency = urgency
            resampler = Resampler(from: loop.synthesizer.sampleRate, to: loop.playoutRate)
        }

        /// Speaks a clause. False if the reply was cut meanwhile.
        @discardableResult
        mutating func speak(_ clause: String) async throws(VoiceError) -> Bool {
            guard await loop.playout.beginClause(clause, epoch: epoch) else { return false }
            do {
                for try await chunk in loop.synthesizer.speak(clause) {
                    guard await play(resampler.feed(chunk.samples), chunk.words) else { return false }
                }
            } catch {
                throw VoiceError.wrapping(error, doing: "the voice \(loop.synthesizer.name) failed")
            }
            guard await play(resampler.flush(), []) else { return false }
            await loop.playout.endClause(epoch: epoch)
            // A draft has its first clause; more would be waste if the turn is not over.
            guard await loop.playout.waitForRelease(epoch: epoch) else { return false }
            if hasAudio {
                urgency.level = .refill(by: await loop.playout.runsDry(epoch: epoch).map { $0 - Self.reserve })
            }
            return true
        }

        private mutating func play(_ samples: [Float], _ words: [SpokenWord]) async -> Bool {
            if !hasAudio, !samples.isEmpty {
                hasAudio = true
                loop.report(.reply(epoch: epoch, .firstAudio(loop.clock.now)))
            }
            let (to, from) = (loop.playoutRate.hertz, loop.synthesizer.sampleRate.hertz)
            let words = words.map { SpokenWord(textEnd: $0.textEnd, sampleEnd: $0.sampleEnd * to / from) }
            return await loop.playout.append(samples, words: words, epoch: epoch)
        }
    }
}
