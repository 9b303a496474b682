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
        /// What it answers, in the words that the model was given; nil for the greeting.
        var user: String?
        /// The final transcript of what a draft answers: the words of `user`, perhaps with other punctuation.
        var transcript: String?
        /// Whether it is a draft whose turn may not be over.
        var isHeld = false
        var speculation = TurnReport.Speculation.none
        var urgency: Urgency
        var timeline = TurnTimeline()
        var usage: ReplyUsage?
        var stop: Mailbox<Never>
        var isAudible = false
        var heard = ""
        /// The answer so far, if it is only written.
        var written: String?
        /// What would have been told of a draft if its turn had been over.
        var withheld: [ReplyStage] = []
        var modelIsBusy = false
        var voiceIsBusy = false
        var failure: VoiceError?
        /// Calls that the answer made.
        var rounds: [ToolRound] = []
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
    private var trace: SessionTrace

    private var machine: TurnMachine
    /// The machine's deadline for which the alarm was set last.
    private var alarm: Duration?
    private var context: Context
    private var reply: OpenReply?
    private var prefill: Mailbox<Never>?
    /// What the person said in the turn whose reply was cut before it was heard.
    private var unanswered: (turn: Int, user: String)?
    private var endpoints: [Int: TurnMachine.Endpoint] = [:]
    private(set) var speculation = SpeculationCount()
    private(set) var playoutCount = PlayoutCount()
    /// When the open reply was paused; nil while it is not.
    private var paused: Duration?
    private var stablePrefix = StablePrefix()
    /// Typed messages for the context that came during a reply; more than a person types in that time are refused.
    private var notes: [String] = []
    /// Whether the answer that is begun next is only written.
    private var answersInWriting = false
    /// The finished turns that answered the person, in order.
    private(set) var reports: [TurnReport] = []

    init(
        configuration: ConversationConfiguration,
        turnTaking: TurnMachine.Configuration,
        clock: any SessionClock,
        logger: Logger,
        transport: any Transport,
        playout: Playout,
        audio: TurnAudio,
        recognition: Mailbox<RecognitionLoop.Request>,
        judgement: Mailbox<(request: Int, audio: [Float])>,
        jobs: Mailbox<ReplyLoop.Job>,
        alarms: Mailbox<Duration>,
        trace: SessionTrace,
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
        self.trace = trace
        self.agentSpeaks = agentSpeaks
        machine = TurnMachine(configuration: turnTaking)
        context = Context(systemPrompt: configuration.systemPrompt)
    }

    /// Greets the person, or prepares for them to speak first.
    mutating func begin() async {
        guard !configuration.greeting.isEmpty else { return prepare() }
        let epoch = machine.greet()
        await open(
            OpenReply(epoch: epoch, turn: 0, urgency: Urgency(.firstAudio, epoch: epoch), stop: makeStop()),
            .say(epoch: epoch, configuration.greeting)
        )
        // The greeting is spoken long before it is heard: time to read the instructions.
        prepare()
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
        case .playout(let event):
            await handle(event)
        case .reply(let epoch, let step):
            await handle(step, epoch)
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
        await open(answer, answersInWriting ? .write(epoch: epoch, messages) : .answer(epoch: epoch, messages))
        await show(.userTranscript(turn: turn, text: text, isFinal: true))
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
        jobs.send(ReplyLoop.Job(work: work, stop: stop, urgency: urgency))
    }

    // MARK: - Ahead of the end of the turn

    /// Drafts an answer to what the person has said, which nobody hears before the turn is over.
    private mutating func speculate(_ turn: Int, _ epoch: Int, _ text: String) async {
        speculation.begin()
        let urgency = Urgency(.speculation, epoch: epoch)
        var draft = OpenReply(epoch: epoch, turn: turn, user: text, urgency: urgency, stop: makeStop())
        draft.isHeld = true
        await open(draft, .answer(epoch: epoch, context.asked(text)))
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
            guard !open.rounds.contains(where: \.hasEffects) else {
                // What was done was done: the model has to know, lest it does it again.
                return context.commit(user: open.user, rounds: open.rounds, heard: "")
            }
            unanswered = open.user.map { (open.turn, $0) }
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
    private mutating func prepare() { prepare(context.messages, urgency: .background) }

    private mutating func prepare(_ messages: [ChatMessage], urgency: Urgency.Level) {
        let stop = makeStop()
        start(.prefill(messages), stop, Urgency(urgency))
        prefill = stop
    }

    // MARK: - A reply's way

    private mutating func handle(_ step: ReplyStep, _ epoch: Int) async {
        if case .computed(let tokens) = step { speculation.count(tokens, of: epoch) }
        guard reply?.epoch == epoch else {
            if case .toolEnded(let call, let outcome) = step { context.settle(call, outcome) }
            return
        }
        switch step {
        case .calls(let round): reply?.rounds.append(round)
        case .toolBegan(let call): await tell(.toolBegan(call))
        case .toolEnded(let call, let outcome):
            if let index = reply?.rounds.lastIndex(where: { $0.calls.contains { $0.id == call.id } }) {
                reply?.rounds[index].outcomes[call.id] = outcome
            }
            await tell(.toolEnded(call, outcome))
        case .firstToken(let at):
            reply?.timeline.firstToken = at
            // What can be read was received, like what can be heard.
            if reply?.written != nil { await perform(machine.handle(.replyAudible(epoch: epoch), at: clock.now)) }
        case .text(let piece):
            reply?.written?.append(piece)
            await tell(.text(piece))
        case .clause(let text): await tell(.clause(text, isSpoken: reply?.written == nil))
        case .firstSegment(let at): reply?.timeline.firstSegment = at
        case .firstAudio(let at): reply?.timeline.firstAudio = at
        case .generated(let usage): reply?.usage = usage
        case .failed(let error): reply?.failure = error
        case .computed: if reply?.modelIsBusy == true { await tell(.modelEnded) }
        case .completed: await endEngines()
        }
    }

    /// Tells of a step of the open reply, once it is certain that it will be heard.
    private mutating func tell(_ event: ReplyStage) async {
        switch event {
        case .modelBegan: reply?.modelIsBusy = true
        case .modelEnded: reply?.modelIsBusy = false
        case .clause(_, let isSpoken): reply?.voiceIsBusy = isSpoken
        case .voiceEnded: reply?.voiceIsBusy = false
        case .text, .toolBegan, .toolEnded: break
        }
        guard let open = reply else { return }
        if open.isHeld { reply?.withheld.append(event) } else { await show(.reply(turn: open.turn, event)) }
    }

    /// Tells that no engine works for the open reply any more.
    private mutating func endEngines() async {
        if reply?.modelIsBusy == true { await tell(.modelEnded) }
        if reply?.voiceIsBusy == true { await tell(.voiceEnded) }
    }

    /// Remembers a typed message that is not answered, after what is being said.
    private mutating func note(_ text: String) {
        guard reply != nil else { return context.note(text) }
        if notes.count < 64 { notes.append(text) }
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
        case .underrun(let epoch, let lasted):
            playoutCount.underruns += 1
            trace.span("playout", "underrun", from: clock.now - lasted, to: clock.now, ["epoch": "\(epoch)"])
        case .finished(let epoch, let heard):
            guard reply?.epoch == epoch else { return }
            await perform(machine.handle(.replyEnded(epoch: epoch), at: clock.now))
            await close(heard: heard, interrupted: false)
        }
    }

    /// Ends the open reply: what was heard enters the context, the figures enter the report.
    private mutating func close(heard: String, interrupted: Bool) async {
        await endEngines()
        guard let open = reply else { return }
        let heard = open.written ?? heard
        if let audible = open.timeline.audible {
            let details = ["interrupted": "\(interrupted)"]
            trace.span("playout", "reply \(open.epoch)", from: audible, to: clock.now, details)
        }
        reply = nil
        paused = nil
        agentSpeaks(false)
        if let failure = open.failure { await report(failure) }
        if open.isAudible { await show(.agentSpeaking(false)) }
        await show(
            .agentTranscript(turn: open.turn, heard: heard, pending: "", isFinal: true, interrupted: interrupted)
        )
        context.commit(user: open.user, rounds: open.rounds, heard: heard)
        notes.forEach { context.note($0) }
        notes = []
        if let user = open.user {
            if open.isAudible || open.written?.isEmpty == false {
                logLatency(of: open)
                let report = turnReport(open, user: open.transcript ?? user, heard: heard, interrupted: interrupted)
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
            speculation: open.speculation,
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
