internal import Logging
internal import VoiceCore

/// A session's own state: whose turn it is, what was said, and what it took. Handles one input after another.
///
/// Owned by the session's task. It decides by asking ``TurnMachine`` and only carries out what that returns.
struct Session {
    private let configuration: ConversationConfiguration
    /// What is said first; empty for nothing.
    private let greeting: String
    let clock: any SessionClock
    let logger: Logger
    private let transport: any Transport
    private let playout: Playout
    private let audio: TurnAudio
    private let recognition: Mailbox<RecognitionLoop.Request>
    private let judgement: Mailbox<(request: Int, audio: [Float])>
    private let jobs: Mailbox<ReplyLoop.Job>
    let roster: Roster
    let background: JobRunner
    private let alarms: Mailbox<Duration>
    let agentSpeaks: @Sendable (Bool) -> Void
    /// Ends the conversation.
    let hangUp: @Sendable () -> Void
    var trace: SessionTrace

    var machine: TurnMachine
    /// The machine's deadline for which the alarm was set last.
    private var alarm: Duration?
    var context: Context
    var reply: OpenReply?
    private var prefill: Mailbox<Never>?
    /// What the person said in the turn whose reply was cut before it was heard.
    private var unanswered: (turn: Int, user: String)?
    private var endpoints: [Int: TurnMachine.Endpoint] = [:]
    var speculation = SpeculationCount()
    var playoutCount = PlayoutCount()
    /// When the open reply was paused; nil while it is not.
    var paused: Duration?
    private var stablePrefix = StablePrefix()
    /// Typed messages for the context that came during a reply; more than a person types in that time are refused.
    var notes: [String] = []
    /// News of jobs for the context that came during a reply, by job, oldest first.
    var jobNews: [JobReport] = []
    /// Who has the conversation.
    var agent: Roster.Agent
    /// Whether the answer that is begun next is only written.
    private var answersInWriting = false
    /// The finished turns that answered the person, in order.
    var reports: [TurnReport] = []

    init(
        configuration: ConversationConfiguration,
        past: ConversationPast,
        turnTaking: TurnMachine.Configuration,
        clock: any SessionClock,
        logger: Logger,
        transport: any Transport,
        playout: Playout,
        audio: TurnAudio,
        recognition: Mailbox<RecognitionLoop.Request>,
        judgement: Mailbox<(request: Int, audio: [Float])>,
        jobs: Mailbox<ReplyLoop.Job>,
        roster: Roster,
        background: JobRunner,
        alarms: Mailbox<Duration>,
        trace: SessionTrace,
        hangUp: @escaping @Sendable () -> Void,
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
        self.roster = roster
        self.background = background
        agent = roster.agent(after: past.settled)
        self.alarms = alarms
        self.trace = trace
        self.agentSpeaks = agentSpeaks
        self.hangUp = hangUp
        machine = TurnMachine(configuration: turnTaking)
        context = Context(systemPrompt: agent.systemPrompt, past: past)
        greeting = past.messages.isEmpty ? configuration.greeting : configuration.returnGreeting
    }

    /// Greets the person, or prepares for them to speak first.
    mutating func begin() async {
        if agent.name != roster.first.name { await show(.handedOver(to: agent.name)) }
        guard !greeting.isEmpty else { return prepare() }
        await say(greeting, turn: 0)
        // The greeting is spoken long before it is heard: time to read the instructions.
        prepare()
    }

    /// Says something that nobody asked for and the model did not think of.
    private mutating func say(_ text: String, turn: Int, isFarewell: Bool = false) async {
        let epoch = machine.greet()
        let urgency = Urgency(.firstAudio, epoch: epoch)
        var said = OpenReply(epoch: epoch, turn: turn, urgency: urgency, stop: makeStop())
        said.isFarewell = isFarewell
        await open(said, .say(epoch: epoch, text))
    }

    /// Says a last sentence in the place of what is being said, and ends the conversation.
    private mutating func end(with text: String) async {
        if let reply { await cut(reply.epoch) }
        guard !text.isEmpty else { return hangUp() }
        await say(text, turn: machine.turn, isFarewell: true)
    }

    /// Closes what is open: the person has gone.
    mutating func end() async {
        if let reply { await cut(reply.epoch) }
        prefill?.finish()
        trace.end(at: clock.now)
    }

    /// Handles the next input.
    mutating func handle(_ input: SessionInput) async {
        await carryOut(input)
        let held = reply.flatMap { $0.isHeld ? $0.epoch : nil }
        trace.note(machine, heldEpoch: held, at: clock.now)
        guard machine.deadline != alarm else { return }
        alarm = machine.deadline
        if let alarm { alarms.send(alarm) }
    }

    private mutating func carryOut(_ input: SessionInput) async {
        switch input {
        case .turn(let event):
            // Nobody waits in silence for the answer to something typed.
            if case .typed = event { endpoints = [:] }
            await perform(machine.handle(event, at: clock.now))
        case .question(let text):
            endpoints = [:]
            answersInWriting = true
            await perform(machine.handle(.typed(text), at: clock.now))
            answersInWriting = false
        case .note(let text):
            note(text)
        case .jobNews:
            await takeJobNews()
        case .cancelJob(let id):
            _ = background.cancel(id, delivery: .nextTurn)
        case .partial(let text):
            await perform(machine.handle(.partialTranscript(text), at: clock.now))
            // What may be a mere "mhm" is nobody's turn yet.
            if case .interjecting = machine.person { return }
            let text = join(machine.carried, text)
            await show(.userTranscript(turn: machine.turn, text: text, isFinal: false))
            readAhead(text)
        case .draftTranscript(let request, let text):
            await perform(machine.handle(.draftTranscript(request: request, text: text), at: clock.now))
        case .transcript(let turn, let text):
            await perform(machine.handle(.transcript(turn: turn, text: text), at: clock.now))
        case .farewell(let text):
            await end(with: text)
        case .playout(let event):
            await handle(event)
        case .reply(let epoch, let step):
            await handle(step, epoch)
        case .failure(let error):
            await report(error)
        }
    }

    // MARK: - Actions

    mutating func perform(_ actions: [TurnMachine.Action]) async {
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
        case .draft(let request):
            recognition.send(.draft(request: request))
        case .speculate(let turn, let epoch, let text):
            await speculate(turn, epoch, text)
        case .release(let turn, let epoch, let text):
            await release(turn, epoch, text)
        case .withdraw(let epoch):
            await withdraw(epoch)
        case .reply(let turn, let epoch, let text):
            await answer(turn, epoch, text)
        case .bridge(let turn, let epoch):
            await bridge(turn, epoch)
        case .answer(let turn, let epoch, let text):
            await answerBehindBridge(turn, epoch, text)
        case .speakUp(let turn, let epoch):
            await speakUp(turn, epoch)
        case .cut(let epoch):
            await cut(epoch)
        case .pause(let epoch):
            paused = clock.now
            let remaining = await playout.pause(epoch: epoch)
            await perform(machine.handle(.replyPaused(epoch: epoch, remaining: remaining), at: clock.now))
        case .resume(let epoch):
            await playout.resume(epoch: epoch)
            playoutCount.falsePauses += 1
            endPause(epoch, "resumed")
        case .settle(let turn):
            recognition.send(.finish(turn: turn))
        case .dismiss:
            audio.endTurn()
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
        let urgency = Urgency(.firstAudio, epoch: epoch)
        var answer = OpenReply(epoch: epoch, turn: turn, user: text, urgency: urgency, stop: makeStop())
        answer.timeline.endpoint = endpoints[turn]
        answer.timeline.transcript = clock.now
        if speculation.missed.contains(turn) { answer.speculation = .miss }
        unanswered = nil
        stablePrefix = StablePrefix()
        if answersInWriting { answer.written = "" }
        let messages = context.asked(text)
        await open(
            answer,
            answersInWriting ? .write(epoch: epoch, messages) : .answer(epoch: epoch, messages, after: "")
        )
        await show(.userTranscript(turn: turn, text: text, isFinal: true))
        await tell(.modelBegan)
    }

    /// Opens an answer with a word about waiting.
    private mutating func bridge(_ turn: Int, _ epoch: Int) async {
        let urgency = Urgency(.firstAudio, epoch: epoch)
        await open(
            OpenReply(epoch: epoch, turn: turn, urgency: urgency, stop: makeStop()),
            .begin(epoch: epoch, configuration.filler)
        )
    }

    /// Answers behind that.
    private mutating func answerBehindBridge(_ turn: Int, _ epoch: Int, _ text: String) async {
        guard var open = reply, open.epoch == epoch else { return }
        open.user = text
        open.timeline.endpoint = endpoints[turn]
        open.timeline.transcript = clock.now
        reply = open
        unanswered = nil
        stablePrefix = StablePrefix()
        let answer = ReplyLoop.Job.Work.answer(epoch: epoch, context.asked(text), after: configuration.filler)
        start(answer, open.stop, open.urgency)
        await show(.userTranscript(turn: turn, text: text, isFinal: true))
        await tell(.modelBegan)
    }

    /// Has the agent speak of what the context holds, unasked.
    private mutating func speakUp(_ turn: Int, _ epoch: Int) async {
        let urgency = Urgency(.firstAudio, epoch: epoch)
        let said = OpenReply(epoch: epoch, turn: turn, urgency: urgency, stop: makeStop())
        await open(said, .answer(epoch: epoch, context.messages, after: ""))
        await tell(.modelBegan)
    }

    /// Makes a reply the open one and has it made.
    private mutating func open(_ opened: OpenReply, _ work: ReplyLoop.Job.Work) async {
        reply = opened
        await playout.open(epoch: opened.epoch, isHeld: opened.isHeld)
        start(work, opened.stop, opened.urgency)
    }

    private func makeStop() -> Mailbox<Never> { Mailbox(capacity: 1, overflow: .refuseNewest, clock: clock) }

    private mutating func start(_ work: ReplyLoop.Job.Work, _ stop: Mailbox<Never>, _ urgency: Urgency) {
        prefill?.finish()
        prefill = nil
        jobs.send(ReplyLoop.Job(work: work, agent: agent.name, stop: stop, urgency: urgency))
    }

    // MARK: - Ahead of the end of the turn

    /// Drafts an answer to what the person has said, which nobody hears before the turn is over.
    private mutating func speculate(_ turn: Int, _ epoch: Int, _ text: String) async {
        speculation.begin()
        let urgency = Urgency(.speculation, epoch: epoch)
        var draft = OpenReply(epoch: epoch, turn: turn, user: text, urgency: urgency, stop: makeStop())
        draft.isHeld = true
        await open(draft, .answer(epoch: epoch, context.asked(text), after: ""))
        await tell(.modelBegan)
    }

    /// The turn is over and was what the draft answers.
    private mutating func release(_ turn: Int, _ epoch: Int, _ text: String) async {
        guard let open = reply, open.epoch == epoch else { return }
        speculation.hit()
        open.urgency.level = open.timeline.firstAudio == nil ? .firstAudio : .refill(by: nil)
        var released = open
        released.isHeld = false
        released.speculation = .hit
        released.transcript = text
        released.timeline.endpoint = endpoints[turn]
        released.timeline.transcript = clock.now
        released.withheld = []
        reply = released
        unanswered = nil
        stablePrefix = StablePrefix()
        await playout.release(epoch: epoch)
        await show(.userTranscript(turn: turn, text: text, isFinal: true))
        for event in open.withheld { await show(.reply(turn: turn, event)) }
    }

    /// The person went on: the draft never was.
    private mutating func withdraw(_ epoch: Int) async {
        guard let open = reply, open.epoch == epoch else { return }
        reply = nil
        speculation.withdraw(epoch, turn: open.turn)
        open.stop.finish()
        await playout.discard(epoch: epoch)
        rememberNews()
    }

    /// Lets the model read what will not change any more of what the person is saying.
    private mutating func readAhead(_ text: String) {
        guard configuration.policy == .speculative, reply == nil, case .speaking = machine.person,
            let known = stablePrefix.advance(text)
        else { return }
        prepare(context.asked(known), urgency: .speculation)
    }

    private mutating func cut(_ epoch: Int) async {
        guard let open = reply, open.epoch == epoch else { return }
        guard !open.isHeld else { return await withdraw(epoch) }
        open.stop.finish()
        let heard = await playout.cut(epoch: epoch) ?? open.heard
        endPause(epoch, "cut")
        await endEngines()
        guard open.isAudible || open.written?.isEmpty == false else {
            // Nothing was heard: the reply never was. The person's words go on with what they say next, or are dropped.
            reply = nil
            if open.rounds.contains(where: \.hasEffects) {
                // What was done was done: the model has to know, lest it does it again.
                context.commit(user: open.user, rounds: open.rounds, heard: "")
            } else {
                unanswered = open.user.map { (open.turn, $0) }
            }
            rememberNews()
            return
        }
        playoutCount.interruptions += 1
        await close(heard: heard, interrupted: true)
    }

    private mutating func endPause(_ epoch: Int, _ outcome: String) {
        guard let began = paused else { return }
        paused = nil
        trace.span("playout", "pause", from: began, to: clock.now, ["epoch": "\(epoch)", "outcome": outcome])
    }

    /// Brings the conversation into the model's memory while nobody waits.
    mutating func prepare() { prepare(context.messages, urgency: .background) }

    private mutating func prepare(_ messages: [ChatMessage], urgency: Urgency.Level) {
        let stop = makeStop()
        start(.prefill(messages), stop, Urgency(urgency))
        prefill = stop
    }

    // MARK: - Telling

    func show(_ event: SessionEvent) async {
        try? await transport.send(.event(event))
    }

    func report(_ error: VoiceError) async {
        logger.warning("Engine failure", metadata: ["code": "\(error.code)", "error": "\(error)"])
        await show(.error(code: error.code.description, message: error.message))
    }

    private func join(_ first: String, _ second: String) -> String {
        first.isEmpty ? second : first + " " + second
    }
}
