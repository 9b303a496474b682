internal import Logging
internal import VoiceCore

/// A session's own state: whose turn it is, what was said, and what it took. Handles one input after another.
///
/// Owned by the session's task. It decides by asking ``TurnMachine`` and only carries out what that returns.
struct Session {
    /// A reply that is being made or played.
    private struct OpenReply {
        var epoch: Int
        var turn: Int
        /// What it answers; nil for the greeting.
        var user: String?
        var timeline: TurnTimeline
        var usage: ReplyUsage?
        var stop: Mailbox<Never>
        var isAudible = false
        var heard = ""
        var failure: VoiceError?
    }

    private let configuration: ConversationConfiguration
    private let clock: any SessionClock
    private let logger: Logger
    private let transport: any Transport
    private let playout: Playout
    private let audio: TurnAudio
    private let recognition: Mailbox<RecognitionLoop.Request>
    private let judgement: Mailbox<(request: Int, audio: [Float])>
    private let jobs: Mailbox<ReplyLoop.Job>
    private let alarms: Mailbox<Duration>
    private let agentSpeaks: @Sendable (Bool) -> Void

    private var machine: TurnMachine
    /// The machine's deadline for which the alarm was set last.
    private var alarm: Duration?
    private var context: Context
    private var reply: OpenReply?
    private var prefill: Mailbox<Never>?
    /// What the person said in the turn whose reply was cut before it was heard.
    private var unanswered: (turn: Int, user: String)?
    private var endpoints: [Int: TurnMachine.Endpoint] = [:]
    /// The finished turns that answered the person, in order.
    private(set) var reports: [TurnReport] = []

    init(
        configuration: ConversationConfiguration,
        clock: any SessionClock,
        logger: Logger,
        transport: any Transport,
        playout: Playout,
        audio: TurnAudio,
        recognition: Mailbox<RecognitionLoop.Request>,
        judgement: Mailbox<(request: Int, audio: [Float])>,
        jobs: Mailbox<ReplyLoop.Job>,
        alarms: Mailbox<Duration>,
        agentSpeaks: @escaping @Sendable (Bool) -> Void
    ) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.transport = transport
        self.playout = playout
        self.audio = audio
        self.recognition = recognition
        self.judgement = judgement
        self.jobs = jobs
        self.alarms = alarms
        self.agentSpeaks = agentSpeaks
        machine = TurnMachine(configuration: configuration.turnTaking)
        context = Context(systemPrompt: configuration.systemPrompt)
    }

    /// Greets the person, or prepares for them to speak first.
    mutating func begin() async {
        guard !configuration.greeting.isEmpty else { return prepare() }
        let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: clock)
        let epoch = machine.greet()
        reply = OpenReply(epoch: epoch, turn: 0, user: nil, timeline: TurnTimeline(), stop: stop)
        start(.say(epoch: epoch, configuration.greeting), stop)
        // The greeting is spoken long before it is heard: time to read the instructions.
        prepare()
    }

    /// Closes what is open: the person has gone.
    mutating func end() async {
        if let reply { await cut(reply.epoch) }
        prefill?.finish()
    }

    /// Handles the next input.
    mutating func handle(_ input: SessionInput) async {
        await take(input)
        guard machine.deadline != alarm else { return }
        alarm = machine.deadline
        if let alarm { alarms.send(alarm) }
    }

    private mutating func take(_ input: SessionInput) async {
        switch input {
        case .turn(let event):
            // Nobody waits in silence for the answer to something typed.
            if case .typed = event { endpoints = [:] }
            await perform(machine.handle(event, at: clock.now))
        case .partial(let text):
            await show(.userTranscript(turn: machine.turn, text: join(machine.carried, text), isFinal: false))
        case .transcript(let turn, let text):
            await perform(machine.handle(.transcript(turn: turn, text: text), at: clock.now))
        case .playout(let event):
            await handle(event)
        case .reply(let epoch, let step):
            handle(step, epoch)
        case .failure(let error):
            await report(error)
        }
    }

    // MARK: - Actions

    private mutating func perform(_ actions: [TurnMachine.Action]) async {
        for action in actions { await perform(action) }
    }

    private mutating func perform(_ action: TurnMachine.Action) async {
        switch action {
        case .judge(let request):
            judgement.send((request, audio.turn()))
        case .mark(let turn, let endpoint):
            endpoints = [turn: endpoint]
        case .finalise(let turn):
            audio.endTurn()
            recognition.send(.finish(turn: turn))
        case .reply(let turn, let epoch, let text):
            await answer(turn, epoch, text)
        case .cut(let epoch):
            await cut(epoch)
        case .drop(let turn, let reason):
            logger.info("Turn dropped", metadata: ["turn": "\(turn)", "reason": "\(reason)"])
            if let (said, words) = unanswered, said == turn {
                context.commit(user: words, heard: "")
                await show(.agentTranscript(turn: turn, heard: "", pending: "", isFinal: true, interrupted: true))
            }
            unanswered = nil
            await show(.turnDropped(turn: turn, reason: reason))
        case .showUserSpeaking(let speaks):
            await show(.userSpeaking(speaks))
        }
    }

    private mutating func answer(_ turn: Int, _ epoch: Int, _ text: String) async {
        let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: clock)
        var timeline = TurnTimeline()
        timeline.endpoint = endpoints[turn]
        timeline.transcript = clock.now
        reply = OpenReply(epoch: epoch, turn: turn, user: text, timeline: timeline, stop: stop)
        unanswered = nil
        start(.answer(epoch: epoch, context.asked(text)), stop)
        await show(.userTranscript(turn: turn, text: text, isFinal: true))
    }

    private mutating func start(_ work: ReplyLoop.Job.Work, _ stop: Mailbox<Never>) {
        prefill?.finish()
        prefill = nil
        jobs.send(ReplyLoop.Job(work: work, stop: stop))
    }

    private mutating func cut(_ epoch: Int) async {
        guard let open = reply, open.epoch == epoch else { return }
        open.stop.finish()
        let heard = await playout.cut(epoch: epoch) ?? open.heard
        guard open.isAudible else {
            // Nothing was heard: the reply never was. The person's words go on with what they say next, or are dropped.
            reply = nil
            unanswered = open.user.map { (open.turn, $0) }
            return
        }
        await close(heard: heard, interrupted: true)
    }

    /// Brings the conversation into the model's memory while nobody waits.
    private mutating func prepare() {
        let stop = Mailbox<Never>(capacity: 1, overflow: .refuseNewest, clock: clock)
        start(.prefill(context.messages), stop)
        prefill = stop
    }

    // MARK: - A reply's way

    private mutating func handle(_ step: ReplyStep, _ epoch: Int) {
        guard reply?.epoch == epoch else { return }
        switch step {
        case .firstToken(let at): reply?.timeline.firstToken = at
        case .firstSegment(let at): reply?.timeline.firstSegment = at
        case .firstAudio(let at): reply?.timeline.firstAudio = at
        case .generated(let usage): reply?.usage = usage
        case .failed(let error): reply?.failure = error
        }
    }

    private mutating func handle(_ event: Playout.Event) async {
        switch event {
        case .audible(let epoch, let at):
            guard reply?.epoch == epoch else { return }
            reply?.isAudible = true
            reply?.timeline.audible = at
            agentSpeaks(true)
            await show(.agentSpeaking(true))
            await perform(machine.handle(.replyAudible(epoch: epoch), at: clock.now))
        case .confirmed(let epoch, let at):
            guard reply?.epoch == epoch else { return }
            reply?.timeline.audible = at
        case .progress(let epoch, let heard, let pending):
            guard let open = reply, open.epoch == epoch else { return }
            reply?.heard = heard
            await show(
                .agentTranscript(turn: open.turn, heard: heard, pending: pending, isFinal: false, interrupted: false)
            )
        case .finished(let epoch, let heard):
            guard reply?.epoch == epoch else { return }
            await perform(machine.handle(.replyEnded(epoch: epoch), at: clock.now))
            await close(heard: heard, interrupted: false)
        }
    }

    /// Ends the open reply: what was heard enters the context, the figures enter the report.
    private mutating func close(heard: String, interrupted: Bool) async {
        guard let open = reply else { return }
        reply = nil
        agentSpeaks(false)
        if let failure = open.failure { await report(failure) }
        if open.isAudible { await show(.agentSpeaking(false)) }
        await show(
            .agentTranscript(turn: open.turn, heard: heard, pending: "", isFinal: true, interrupted: interrupted)
        )
        context.commit(user: open.user, heard: heard)
        if let user = open.user {
            if open.isAudible {
                logLatency(of: open)
                let report = turnReport(open, user: user, heard: heard, interrupted: interrupted)
                reports.append(report)
                await show(.turnReport(report))
            } else {
                await show(.turnDropped(turn: open.turn, reason: open.failure?.message ?? "the answer was empty"))
            }
        }
        prepare()
    }

    private func turnReport(_ open: OpenReply, user: String, heard: String, interrupted: Bool) -> TurnReport {
        TurnReport(
            turn: open.turn,
            user: user,
            agent: heard,
            interrupted: interrupted,
            voiceToVoice: open.timeline.voiceToVoice,
            tiles: open.timeline.tiles,
            speculation: .none,
            llm: open.usage
        )
    }

    // MARK: - Telling

    private func show(_ event: SessionEvent) async {
        try? await transport.send(.event(event))
    }

    private func report(_ error: VoiceError) async {
        logger.warning("Engine failure", metadata: ["code": "\(error.code)", "error": "\(error)"])
        await show(.error(code: error.code.description, message: error.message))
    }

    private func logLatency(of reply: OpenReply) {
        guard let voiceToVoice = reply.timeline.voiceToVoice, let tiles = reply.timeline.tiles else { return }
        func line(_ service: String, _ milliseconds: Double) {
            logger.info("\(service) TTFB: \(Int(milliseconds.rounded()))ms", metadata: ["turn": "\(reply.turn)"])
        }
        line("ServerVoiceToVoice", voiceToVoice)
        line("SpeechRecognizer", tiles.asrFinal)
        line("LanguageModel", tiles.llmFirstToken)
        line("SpeechSynthesizer", tiles.ttsFirstAudio)
    }

    private func join(_ first: String, _ second: String) -> String {
        first.isEmpty ? second : first + " " + second
    }
}
