internal import Inference
internal import VoiceCore

/// The one owner of a model's context. It computes for all chats, one step at a time, on its own thread. On a lane the most
/// pressing step is next; without one they are served in the order in which they come, so each waits for at most one step
/// of each other.
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
    }

    nonisolated let contextLength: Int
    nonisolated let seating: Seating
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private static let prefillKind = QuantumKind(engine: "llm", step: "prefill")
    private static let decodeKind = QuantumKind(engine: "llm", step: "decode")
    /// How soon a reply's next token is asked for: its text goes through a segmenter, which takes a few microseconds, but
    /// several threads have to be woken for it.
    private static let followUp = Duration.milliseconds(2)

    private let executor: EngineExecutor
    private let lane: Lane?
    private let context: LlamaContext
    private let tokenizer: PromptTokenizer
    private var seats: [ChatSeat]
    private var snapshots: [Snapshots]

    /// - Parameters:
    ///   - executor: the thread to compute on.
    ///   - lane: the device's, where other engines compute on it too.
    ///   - context: has a sequence for each chat, and ``Snapshots/perChat`` more for each on recurrent models.
    ///   - tokenizer: writes conversations down.
    ///   - chats: how many there can be.
    ///   - contextLength: tokens of each.
    init(
        executor: EngineExecutor,
        lane: Lane?,
        context: sending LlamaContext,
        tokenizer: PromptTokenizer,
        chats: Int,
        contextLength: Int
    ) {
        self.executor = executor
        self.lane = lane
        self.tokenizer = tokenizer
        self.contextLength = contextLength
        seating = Seating(count: chats)
        seats = Array(repeating: ChatSeat(), count: chats)
        let spares = context.model.isRecurrent ? Snapshots.perChat : 0
        snapshots = (0..<chats).map {
            Snapshots(sequences: (chats + $0 * spares)..<(chats + ($0 + 1) * spares))
        }
        self.context = context
    }

    /// Takes a chat and makes its memory empty; nil when all are taken.
    func open() -> Int? {
        dropLeft()
        return seating.take()
    }

    /// Starts a reply, or a prefill where `sampling` is nil. What is in memory already is kept; nothing is computed yet.
    /// - Returns: the run's number, for ``step(_:run:)``.
    /// - Throws: ``VoiceError/Code/usage`` without messages, or when the model cannot do what the options ask for.
    func begin(
        _ seat: Int,
        _ messages: [ChatMessage],
        options: ChatOptions,
        sampling: SamplingOptions?
    ) throws(VoiceError) -> Int {
        guard !messages.isEmpty else { throw VoiceError(.usage, "A reply was asked for without any message.") }
        try tokenizer.format.check(options)
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
    /// - Throws: when computing fails; the chat's memory is then dropped, other chats go on.
    ///   ``VoiceError/Code/cancelled`` and ``VoiceError/Code/exhausted`` when it never got the device; nothing is lost then.
    func step(_ seat: Int, run id: Int, urgency: Urgency?) async throws(VoiceError) -> Step {
        guard let run = seats[seat].run, run.id == id else { return .over }
        guard !run.unread.isEmpty || run.reply != nil else { return .read(run.usage) }
        let quantum = quantum(of: run, seat, urgency)
        return try await lane.run(quantum) { () throws(VoiceError) in try compute(seat, run: id) }
    }

    private func quantum(of run: ChatSeat.Run, _ seat: Int, _ urgency: Urgency?) -> QuantumRequest {
        let units = min(run.unread.count, context.options.batch)
        let urgency = urgency ?? Urgency(run.reply == nil ? .background : .firstAudio)
        return QuantumRequest(
            units > 0 ? Self.prefillKind : Self.decodeKind,
            urgency,
            // Chats must not be taken for each other, also where nobody says whose they are.
            owner: urgency.owner ?? seat + 1,
            units: max(1, units),
            followUp: Self.followUp
        )
    }

    /// The step itself. While it waited for the device another run of the chat may have begun.
    private func compute(_ seat: Int, run id: Int) throws(VoiceError) -> Step {
        guard let run = seats[seat].run, run.id == id else { return .over }
        do {
            guard run.unread.isEmpty else { return try read(seat, run) }
            guard let reply = run.reply else { return .read(run.usage) }
            return try speak(seat, run, reply)
        } catch {
            clear(seat)
            throw error
        }
    }

    /// Reads the next batch of the prompt, and chooses the first token after the last of them.
    private func read(_ seat: Int, _ run: ChatSeat.Run) throws(VoiceError) -> Step {
        var count = min(run.unread.count, context.options.batch)
        // So that a copy can be made from which the last token, and with it the reply, can be computed again.
        let splits = snapshots[seat].areUsed && run.reply != nil && count == run.unread.count && count > 1
        if splits { count -= 1 }
        try decode(run.unread.prefix(count), seat)
        seats[seat].run?.unread.removeFirst(count)
        if splits { takeSnapshot(seat) }
        guard seats[seat].run?.unread.isEmpty == true, let reply = run.reply else {
            return run.reply == nil && count == run.unread.count ? .read(run.usage) : .working
        }
        return try choose(seat, reply, run.usage)
    }

    /// Reads the token that was chosen last, and chooses the next.
    private func speak(_ seat: Int, _ run: ChatSeat.Run, _ reply: ReplyInProgress) throws(VoiceError) -> Step {
        guard let pending = reply.pending else { return .over }
        guard !reply.isSpent, seats[seat].log.count + 1 < contextLength else {
            return finish(seat, run.usage, truncated: true)
        }
        try decode([pending], seat)
        return try choose(seat, reply, run.usage)
    }

    private func choose(_ seat: Int, _ reply: ReplyInProgress, _ usage: ReplyUsage) throws(VoiceError) -> Step {
        var (reply, usage) = (reply, usage)
        guard !reply.isSpent else { return finish(seat, usage, truncated: true) }
        if reply.mustStopThinking { reply.forced = tokenizer.tokens(tokenizer.format.reasoningEnd) }
        let isForced = !reply.forced.isEmpty
        let token = isForced ? reply.forced.removeFirst() : try sample(&reply)
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

    private func sample(_ reply: inout ReplyInProgress) throws(VoiceError) -> TokenID {
        let token = try context.withLogits { logits throws(VoiceError) in reply.sampler.next(logits) }
        guard let token else {
            throw VoiceError(.fault, "\(context.model.path) computed no usable scores. The file may be damaged.")
        }
        return token
    }

    private func finish(
        _ seat: Int,
        _ usage: ReplyUsage,
        after events: [ReplyEvent] = [],
        truncated: Bool
    ) -> Step {
        let last = events + (seats[seat].run?.reply?.finish() ?? [])
        return .events(last + [.finished(usage, truncated: truncated)])
    }

    /// Reads tokens into a chat's memory.
    private func decode(_ tokens: ArraySlice<TokenID>, _ seat: Int) throws(VoiceError) {
        let position = seats[seat].log.count
        var fits = try context.decode(tokens, at: position, sequence: seat)
        if !fits {
            // The cells that only copies hold on to.
            for index in snapshots.indices { forgetSnapshots(index, beyond: -1) }
            fits = try context.decode(tokens, at: position, sequence: seat)
        }
        guard fits else {
            throw VoiceError(.exhausted, "The context of \(context.options.cells) tokens is full. Allow fewer chats.")
        }
        seats[seat].log += tokens
    }

    /// Cuts a chat's memory back to its first `count` tokens.
    /// - Returns: how many tokens are really left, which is less where the memory can only go back to a copy.
    private func rewind(_ seat: Int, to count: Int) -> Int {
        guard count < seats[seat].log.count else { return count }
        forgetSnapshots(seat, beyond: count)
        if context.remove(seat, from: count), context.count(of: seat) == count { return count }
        guard let copy = snapshots[seat].best(upTo: count) else {
            context.clear(seat)
            return 0
        }
        context.copy(copy.sequence, to: seat)
        return copy.count
    }

    private func takeSnapshot(_ seat: Int) {
        guard let sequence = snapshots[seat].slot(for: seats[seat].log.count) else { return }
        context.copy(seat, to: sequence)
    }

    private func forgetSnapshots(_ seat: Int, beyond count: Int) {
        for sequence in snapshots[seat].forget(beyond: count) { context.clear(sequence) }
    }

    private func dropLeft() {
        for seat in seating.takeLeft() { clear(seat) }
    }

    /// Drops all that a chat holds.
    private func clear(_ seat: Int) {
        forgetSnapshots(seat, beyond: -1)
        context.clear(seat)
        seats[seat].reset()
    }

    /// Computes a few tokens for nobody, so that memory is mapped and kernels are chosen before the first reply.
    func warmUp() throws(VoiceError) {
        let batch = Array(repeating: tokenizer.someToken, count: context.options.batch)
        _ = try context.decode(batch[...], at: 0, sequence: 0)
        _ = try context.decode([tokenizer.someToken], at: batch.count, sequence: 0)
        context.clear(0)
    }
}
