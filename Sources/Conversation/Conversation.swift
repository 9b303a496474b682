public import Logging
internal import Synchronization
public import VoiceCore

/// One agent's conversation with one person over one transport.
///
/// `run(over:)` is the whole life of a session. It returns when the person has gone; cancelling it is the only other way
/// to end it. Engines are shared with other sessions, everything else belongs to this one.
public struct Conversation: Sendable {
    private let engines: Engines
    private let configuration: ConversationConfiguration
    private var clock: any SessionClock
    private let logger: Logger
    private let trace: TraceSink?
    private let name: String
    private let past: ConversationPast

    /// Makes a conversation.
    ///
    /// - Parameters:
    ///   - engines: the models.
    ///   - configuration: how the agent behaves.
    ///   - clock: the time it lives in.
    ///   - logger: takes one line a turn; never audio or words.
    ///   - trace: takes what took how long: states of both sides, verdicts, synthesis, playout.
    ///   - name: the conversation's group in the trace.
    ///   - past: what was said before, and who wants to know what is said now.
    public init(
        engines: Engines,
        configuration: ConversationConfiguration,
        clock: any SessionClock,
        logger: Logger,
        trace: TraceSink? = nil,
        name: String = "session",
        past: ConversationPast = ConversationPast()
    ) {
        self.engines = engines
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.trace = trace
        self.name = name
        self.past = past
    }

    /// Talks until the person has gone.
    ///
    /// - Returns: what was said, and how long everything took.
    /// - Throws: when the session cannot start because an engine has no room or no model. A failure later is told to the
    ///   person and the session goes on.
    public func run(over transport: any Transport) async throws(VoiceError) -> ConversationReport {
        clock.workBegan()
        defer { clock.workEnded() }
        guard let executor = transport.executor else { return try await converse(over: transport) }
        var conversation = self
        conversation.clock = clock.on(executor)
        return try await withTaskExecutorPreference(executor) { [conversation] () async throws(VoiceError) in
            try await conversation.converse(over: transport)
        }
    }

    /// Does what ``run(over:)`` does, in a task that the clock knows to be at work already.
    package func converse(over transport: any Transport) async throws(VoiceError) -> ConversationReport {
        let activity = try await engines.voiceActivity.openStream()
        let recognizer = try await engines.recognizer.openStream(configuration.recognition)
        let chat = try await engines.languageModel.openChat()

        let inputs = Mailbox<SessionInput>(capacity: 4096, overflow: .refuseNewest, clock: clock)
        let report: @Sendable (SessionInput) -> Void = { inputs.send($0) }
        let recognition = Mailbox<RecognitionLoop.Request>(capacity: 2048, overflow: .dropOldest, clock: clock)
        let judgement = Mailbox<(request: Int, audio: [Float])>(capacity: 2, overflow: .dropOldest, clock: clock)
        let jobs = Mailbox<ReplyLoop.Job>(capacity: 16, overflow: .refuseNewest, clock: clock)
        let calls = Mailbox<ToolLoop.Request>(capacity: 64, overflow: .refuseNewest, clock: clock)
        let alarms = Mailbox<Duration>(capacity: 64, overflow: .dropOldest, clock: clock)
        let agentIsSpeaking = Mutex(false)
        let audio = TurnAudio()
        let loudspeaker = configuration.cancelsEcho ? LoudspeakerSignal() : nil
        let sessionTrace = SessionTrace(group: name, sink: trace)

        let background = JobRunner(clock: clock, trace: sessionTrace) { report(.jobNews) }
        let roster = try Roster(configuration, synthesizer: engines.synthesizer, jobs: background)
        let playout = Playout(
            clock: clock,
            rate: transport.playoutRate,
            lead: transport.playoutLead ?? configuration.playoutLead,
            audibleThreshold: configuration.audibleThreshold,
            loudspeaker: loudspeaker,
            send: { message in try? await transport.send(message) },
            report: { report(.playout($0)) }
        )
        let ear = Ear(
            activity: activity,
            gate: VoiceActivityGate(
                configuration: configuration.policyVoiceActivity,
                windowLength: engines.voiceActivity.windowLength
            ),
            audio: audio,
            recognition: recognition,
            audibleThreshold: configuration.audibleThreshold,
            loudspeaker: loudspeaker,
            clock: clock,
            report: report
        )
        let recognitionLoop = RecognitionLoop(stream: recognizer, requests: recognition, report: report)
        let toolLoop = ToolLoop(
            roster,
            requests: calls,
            clock: clock,
            trace: sessionTrace,
            report: report
        )
        let replyLoop = ReplyLoop(
            chat: chat,
            tools: toolLoop,
            roster: roster,
            playout: playout,
            playoutRate: transport.playoutRate,
            configuration: configuration,
            clock: clock,
            jobs: jobs,
            trace: sessionTrace,
            report: report
        )
        var session = Session(
            configuration: configuration,
            past: past,
            turnTaking: configuration.policyTurnTaking(with: engines.languageModel),
            clock: clock,
            logger: logger,
            transport: transport,
            playout: playout,
            audio: audio,
            recognition: recognition,
            judgement: judgement,
            jobs: jobs,
            roster: roster,
            background: background,
            alarms: alarms,
            trace: sessionTrace,
            hangUp: { inputs.finish() },
            agentSpeaks: { speaks in agentIsSpeaking.withLock { $0 = speaks } }
        )

        await withTaskGroup(of: Void.self) { group in
            addTask(to: &group) {
                await hear(transport, ear, playout, report) { agentIsSpeaking.withLock { $0 } }
                inputs.finish()
            }
            addTask(to: &group) {
                var loop = recognitionLoop
                await loop.run()
            }
            addTask(to: &group) { await judge(judgement, sessionTrace, report) }
            addTask(to: &group) { await replyLoop.run() }
            // What tools do is not ours: they may keep a thread busy that other conversations need.
            let isElsewhere = transport.executor != nil
            addTask(to: &group, elsewhere: isElsewhere) { await toolLoop.run() }
            addTask(to: &group, elsewhere: isElsewhere) { await background.run() }
            addTask(to: &group) { await playout.run() }
            addTask(to: &group) { await tick(at: alarms, report) }
            await session.begin()
            while let input = await inputs.next() { await session.handle(input) }
            await session.end()
            group.cancelAll()
        }
        return ConversationReport(
            turns: session.reports,
            speculation: session.speculation,
            playout: session.playoutCount
        )
    }

    // MARK: - The session's tasks

    /// - Parameter elsewhere: true for a task that shall not run where the others do.
    private func addTask(
        to group: inout TaskGroup<Void>,
        elsewhere: Bool = false,
        _ body: @escaping @Sendable () async -> Void
    ) {
        let work: @Sendable () async -> Void = {
            await body()
            clock.workEnded()
        }
        clock.workBegan()
        // A preference of nil would not be the parent's but none (Swift 6.3).
        if elsewhere {
            group.addTask(executorPreference: globalConcurrentExecutor) { await work() }
        } else {
            group.addTask { await work() }
        }
    }

    /// Reads the transport until the person has gone.
    private func hear(
        _ transport: any Transport,
        _ ear: Ear,
        _ playout: Playout,
        _ report: @Sendable (SessionInput) -> Void,
        agentIsSpeaking: @Sendable () -> Bool
    ) async {
        var ear = ear
        var rest = Rest()
        var hasReportedFailure = false
        for await event in transport.events {
            switch event {
            case .audio(let frame):
                let agentSpeaks = agentIsSpeaking()
                do {
                    try await ear.hear(frame, agentIsSpeaking: agentSpeaks)
                    hasReportedFailure = false
                } catch {
                    // Once, not fifty times a second.
                    if !hasReportedFailure { report(.failure(error)) }
                    hasReportedFailure = true
                }
                if rest.heard(frame.duration, isQuiet: ear.isQuiet && !agentSpeaks) { transport.rest(rest.isResting) }
            case .text(let text):
                report(.turn(.typed(text)))
            case .typed(let message):
                if !message.isAnswered {
                    report(.note(message.text))
                } else {
                    report(message.isSpoken ? .turn(.typed(message.text)) : .question(message.text))
                }
            case .interrupt:
                report(.turn(.interruptRequested))
            case .cancelJob(let id):
                report(.cancelJob(id))
            case .farewell(let text):
                report(.farewell(text))
            case .played(let epoch, let samples):
                await playout.acknowledge(samples: samples, epoch: epoch)
            }
        }
    }

    /// Asks the turn detector, one question at a time; a question that a newer one has overtaken is skipped.
    private func judge(
        _ requests: Mailbox<(request: Int, audio: [Float])>,
        _ trace: SessionTrace,
        _ report: @Sendable (SessionInput) -> Void
    ) async {
        while let (request, audio) = await requests.next() {
            do {
                let began = clock.now
                let probability = try await engines.turnDetector.endProbability(ofTurn: audio)
                trace.span("verdict", "P(end) \(probability)", from: began, to: clock.now)
                report(.turn(.verdict(request: request, probability: probability)))
            } catch {
                report(.failure(error))
                report(.turn(.verdict(request: request, probability: nil)))
            }
        }
    }

    /// Tells the session when a deadline has come. One that was overtaken meanwhile is told all the same: a tick too many
    /// changes nothing, and a turn sets a handful of them, seconds ahead at most.
    private func tick(at alarms: Mailbox<Duration>, _ report: @escaping @Sendable (SessionInput) -> Void) async {
        await withDiscardingTaskGroup { group in
            while let deadline = await alarms.next() {
                clock.workBegan()
                group.addTask {
                    defer { clock.workEnded() }
                    guard (try? await clock.sleep(until: deadline)) != nil else { return }
                    report(.turn(.tick))
                }
            }
        }
    }
}
