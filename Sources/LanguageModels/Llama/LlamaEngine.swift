internal import Foundation
internal import Inference
internal import VoiceCore

/// The one owner of a model's context. It computes for all chats, one step at a time, on its own thread. The most pressing step
/// is next. A step reads a slice of one prompt, or one token for each reply that wants its next: the weights are read once for
/// all of them.
actor LlamaEngine {
    /// What a step led to.
    enum Step {
        /// Part of the prompt was read, or a token without a complete character chosen: go on.
        case working
        /// A reply's next events, at least one.
        case events([ReplyEvent])
        /// A prefill is complete.
        case read(ReplyUsage)
        /// The run is over, or another one of the same chat has begun since.
        case over

        /// The same with events before it; only what can have some has.
        func after(_ events: [ReplyEvent]) -> Step {
            switch self {
            case _ where events.isEmpty: self
            case .working: .events(events)
            case .events(let later): .events(events + later)
            case .read, .over: self
            }
        }
    }

    nonisolated let contextLength: Int
    nonisolated let warmStart: WarmStart?
    nonisolated let seating: Seating
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private static let prefillKind = QuantumKind(engine: "llm", step: "prefill")
    static let decodeKind = QuantumKind(engine: "llm", step: "decode")
    static let restoreKind = QuantumKind(engine: "llm", step: "restore")
    /// How soon a reply's next token is asked for: its text goes through a segmenter, which takes a few microseconds, but
    /// several threads have to be woken for it.
    private static let followUp = Duration.milliseconds(2)
    /// How long one that wants a token waits for others that are about to.
    static let gatheringWindow = Duration.microseconds(300)

    private let executor: EngineExecutor
    let lane: Lane
    let context: LlamaContext
    let tokenizer: PromptTokenizer
    var seats: [ChatSeat]
    var snapshots: [Snapshots]
    var anchors: Anchors
    var steps = SharedSteps()
    /// Found when the engine is warmed up: that takes a few tens of milliseconds.
    private lazy var sentenceEnds = tokenizer.sentenceEnds()
    /// A head and its state that are still to be written to disk.
    var unsaved: (head: [TokenID], state: Data)?

    /// - Parameters:
    ///   - executor: the thread to compute on.
    ///   - lane: the device's.
    ///   - context: has a sequence for each chat; on recurrent models ``Snapshots/perChat`` more for each, and
    ///     ``Anchors/count``.
    ///   - tokenizer: writes conversations down.
    ///   - warmStart: keeps heads of prompts on disk; nil to keep none.
    ///   - chats: how many there can be.
    ///   - contextLength: tokens of each.
    init(
        executor: EngineExecutor,
        lane: Lane,
        context: sending LlamaContext,
        tokenizer: PromptTokenizer,
        warmStart: WarmStart?,
        chats: Int,
        contextLength: Int
    ) {
        self.executor = executor
        self.lane = lane
        self.tokenizer = tokenizer
        self.warmStart = warmStart
        self.contextLength = contextLength
        seating = Seating(count: chats)
        seats = Array(repeating: ChatSeat(), count: chats)
        let spares = context.model.isRecurrent ? Snapshots.perChat : 0
        snapshots = (0..<chats).map {
            Snapshots(sequences: (chats + $0 * spares)..<(chats + ($0 + 1) * spares))
        }
        let copies = chats * (1 + spares)
        anchors = Anchors(sequences: copies..<(copies + (context.model.isRecurrent ? Anchors.count : 0)))
        self.context = context
    }

    /// Takes a chat and makes its memory empty; nil when all are taken.
    func open() -> Int? {
        dropLeft()
        return seating.take()
    }

    /// Starts a reply, or a prefill where `sampling` is nil. What is in memory already is kept; nothing is computed yet.
    /// - Returns: the run's number, for ``step(_:run:)``.
    /// - Throws: ``VoiceError/Code/usage`` without messages, or when the model cannot do what the options ask for; also to go on with a
    ///   message that is not an assistant's.
    func begin(
        _ seat: Int,
        _ messages: [ChatMessage],
        options: ChatOptions,
        sampling: SamplingOptions?
    ) throws(VoiceError) -> Int {
        guard !messages.isEmpty else { throw VoiceError(.usage, "A reply was asked for without any message.") }
        try tokenizer.format.check(options)
        guard !options.continuesLastMessage || sampling == nil || messages.last?.canBeContinued == true else {
            throw VoiceError(
                .usage,
                "A reply can only go on with an assistant's message, and one that has words and no calls."
            )
        }
        dropLeft()
        let plan = seats[seat].plan(
            messages,
            options: options,
            sampling: sampling,
            tokenizer: tokenizer,
            capacity: contextLength
        )
        seats[seat].start(keeping: rewind(seat, to: plan.kept))
        return plan.runID
    }

    /// Computes one batch of the prompt, or one token of the reply.
    /// - Parameter urgency: how pressing it is at the moment; nil for a reply that somebody waits for.
    /// - Throws: when computing fails; the memory of the chats that were computed for is then dropped, others go on.
    ///   ``VoiceError/Code/cancelled`` and ``VoiceError/Code/exhausted`` when it never got the device; nothing is lost then.
    func step(_ seat: Int, run id: Int, urgency: Urgency?) async throws(VoiceError) -> Step {
        guard let run = current(seat, id) else { return .over }
        guard !run.unread.isEmpty || run.reply != nil else { return .read(run.usage) }
        guard run.unread.count > 1 || run.reply == nil else { return try await token(seat, run, urgency) }
        return try await lane.run(quantum(Self.prefillKind, of: run, seat, urgency)) { () throws(VoiceError) in
            try slice(seat, run: id)
        }
    }

    func current(_ seat: Int, _ id: Int) -> ChatSeat.Run? {
        guard let run = seats[seat].run, run.id == id else { return nil }
        return run
    }

    func quantum(
        _ kind: QuantumKind,
        of run: ChatSeat.Run,
        _ seat: Int,
        _ urgency: Urgency?
    ) -> QuantumRequest {
        let urgency = urgency ?? Urgency(run.reply == nil ? .background : .firstAudio)
        return QuantumRequest(
            kind,
            urgency,
            // Chats must not be taken for each other, also where nobody says whose they are.
            owner: urgency.owner ?? seat + 1,
            units: max(1, min(run.unread.count, context.options.batch)),
            followUp: Self.followUp
        )
    }

    // MARK: a slice of a prompt

    /// Reads the next batch of a prompt. While it waited for the device another run of the chat may have begun.
    private func slice(_ seat: Int, run id: Int) throws(VoiceError) -> Step {
        do throws(VoiceError) {
            guard current(seat, id) != nil else { return .over }
            shareHead(seat)
            guard let run = current(seat, id) else { return .over }
            guard !run.unread.isEmpty else { return .read(run.usage) }
            try keepCopies(seat)
            let position = seats[seat].log.count
            let limit = min(position + context.options.batch, run.prompt.count)
            // Copies are made at these places.
            let end = places(of: run).filter { $0 > position && $0 < limit }.min() ?? limit
            let mark = run.lastWordEnd.map { $0 - 1 - position }.flatMap {
                (0..<end - position).contains($0) ? $0 : nil
            }
            let row = LlamaContext.Row(run.prompt[position..<end], at: position, sequence: seat, mark: mark)
            guard try decode([row]) else { throw full }
            let judgement = mark == nil ? [] : try judge(seat)
            seats[seat].run?.unread = run.prompt[end...]
            try keepCopies(seat)
            guard end == run.prompt.count else { return judgement.isEmpty ? .working : .events(judgement) }
            guard let reply = run.reply else { return .read(run.usage) }
            return try choose(seat, reply, run.usage).after(judgement)
        } catch {
            clear(seat)
            throw error
        }
    }

    /// How likely the user's message ends behind its last word.
    private func judge(_ seat: Int) throws(VoiceError) -> [ReplyEvent] {
        let ends = sentenceEnds
        let probability = try context.withLogits(ofMarkIn: seat) { logits throws(VoiceError) in ends.probability(logits)
        }
        return probability.map { [.completeness($0)] } ?? []
    }

    var full: VoiceError {
        VoiceError(.exhausted, "The context of \(context.options.cells) tokens is full. Allow fewer chats.")
    }

    // MARK: the next token

    func choose(_ seat: Int, _ reply: ReplyInProgress, _ usage: ReplyUsage) throws(VoiceError) -> Step {
        var (reply, usage) = (reply, usage)
        guard !reply.isSpent else { return finish(seat, usage, truncated: true) }
        if reply.mustStopThinking { reply.forced = tokenizer.tokens(tokenizer.format.reasoningEnd) }
        let isForced = !reply.forced.isEmpty
        let token = isForced ? reply.forced.removeFirst() : try sample(seat, &reply)
        guard !context.model.isEndOfGeneration(token), let bytes = tokenizer.bytes(of: token) else {
            return finish(seat, usage, truncated: false)
        }
        let events = reply.take(token, bytes, isForced: isForced)
        usage.generatedTokens += 1
        seats[seat].run?.reply = reply
        seats[seat].run?.usage = usage
        if reply.isStopped { return finish(seat, usage, after: events, truncated: false) }
        return events.isEmpty ? .working : .events(events)
    }

    private func sample(_ seat: Int, _ reply: inout ReplyInProgress) throws(VoiceError) -> TokenID {
        let token = try context.withLogits(of: seat) { logits throws(VoiceError) in reply.sampler.next(logits) }
        guard let token else {
            throw VoiceError(.fault, "\(context.model.path) computed no usable scores. The file may be damaged.")
        }
        return token
    }

    func finish(
        _ seat: Int,
        _ usage: ReplyUsage,
        after events: [ReplyEvent] = [],
        truncated: Bool
    ) -> Step {
        steps.rest(seat)
        let last = events + (seats[seat].run?.reply?.finish() ?? [])
        return .events(last + [.finished(usage, truncated: truncated)])
    }

    // MARK: chats that go

    private func dropLeft() {
        for seat in seating.takeLeft() { leaveHead(seat) }
    }

    /// Drops all that a chat holds.
    func clear(_ seat: Int) {
        forgetSnapshots(seat, beyond: -1)
        context.clear(seat)
        seats[seat].reset()
    }

    /// Computes a few tokens for nobody, so that memory is mapped and kernels are chosen before the first reply.
    func warmUp() throws(VoiceError) {
        let batch = Array(repeating: tokenizer.someToken, count: context.options.batch)
        _ = try context.decode([LlamaContext.Row(batch[...], at: 0, sequence: 0)])
        _ = try context.decode([LlamaContext.Row([tokenizer.someToken], at: batch.count, sequence: 0)])
        context.clear(0)
        _ = sentenceEnds
    }
}
