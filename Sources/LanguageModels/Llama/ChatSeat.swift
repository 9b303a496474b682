internal import Inference
internal import VoiceCore

/// What the engine knows about one chat: which tokens its sequence holds, what the model has said, and the reply under
/// way. Pure bookkeeping; ``LlamaEngine`` does the computing.
struct ChatSeat {
    /// The tokens that the sequence holds, in order. The only truth about the memory: nothing is ever guessed from text.
    var log: [TokenID] = []
    /// The reply or prefill under way.
    var run: Run?

    private var window = ContextWindow()
    private var replies: [GeneratedReply] = []
    /// The tokens of the pieces that the last prompt was made of: tokenising 12 000 tokens anew takes longer than reading three.
    private var known: [[PromptSegment]: [TokenID]] = [:]
    /// Tokens that the last reply could have; nil before the first.
    private var lastReserve: Int?
    private var runs = 0

    /// A reply or prefill under way.
    struct Run {
        /// Tells this run from earlier ones of the same chat.
        let id: Int
        /// All that is to be in memory.
        let prompt: [TokenID]
        /// Tokens at its start that other conversations have as well: instructions and tools.
        let headCount: Int
        /// Where its newest turn begins.
        let turnStart: Int
        /// Where the last word of the user's last message ends, if somebody wants to know whether it is complete.
        let lastWordEnd: Int?
        /// Tokens of the prompt that are still to be read.
        var unread: ArraySlice<TokenID>
        var usage: ReplyUsage
        /// nil for a prefill.
        var reply: ReplyInProgress?

        /// A shorter head is read sooner than it is got from elsewhere.
        static let smallestHead = 64

        /// The head, if it is worth keeping.
        var head: ArraySlice<TokenID>? { headCount >= Self.smallestHead ? prompt.prefix(headCount) : nil }
    }

    /// What to do before a run can start.
    struct Plan {
        var runID: Int
        /// Tokens of the log that stay.
        var kept: Int
    }

    /// Works out the prompt and what of it is in memory already.
    /// - Parameters:
    ///   - messages: the conversation.
    ///   - options: tools and reasoning; the model can do what they ask for.
    ///   - sampling: nil to prefill.
    ///   - tokenizer: writes it down.
    ///   - capacity: tokens that the chat may hold.
    mutating func plan(
        _ messages: [ChatMessage],
        options: ChatOptions = ChatOptions(),
        sampling: SamplingOptions?,
        tokenizer: PromptTokenizer,
        capacity: Int
    ) -> Plan {
        if let generated = run?.reply?.generated, !generated.tokens.isEmpty { replies.append(generated) }
        let continues = sampling != nil && options.continuesLastMessage
        // What it goes on with was said after all thoughts.
        let isThinking = tokenizer.format.thinks && options.reasoning.allowsThoughts && !continues
        // A quarter of the context at least is for the conversation so far, at most for the reply.
        let wanted = (sampling?.maxTokens ?? 0).addingReportingOverflow(
            options.reasoning.budget ?? (isThinking ? capacity : 0)
        )
        // A prefill leaves out what the reply would have to leave out: then nobody waits for the rest to be read again.
        let reserve =
            sampling == nil
            ? lastReserve ?? capacity / 4 : min(wanted.overflow ? capacity : wanted.partialValue, capacity / 4)
        if sampling != nil { lastReserve = reserve }
        let room = sampling == nil && messages.last?.role != .user ? capacity / 8 : 0
        let begun = continues ? self.begun(messages, tokenizer) : nil
        let messages = begun == nil ? messages : messages.dropLast()
        // So long that it does not fit is not what the model has just said, but a text.
        let replyOpening =
            tokenizer.tokens(tokenizer.format.replyOpening(isThinking: isThinking))
            + (begun?.tokens ?? []).suffix((capacity - reserve) / 2)
        let limit = capacity - reserve - replyOpening.count - tokenizer.beginning.count
        // Apart from `self`, which rendering needs, too.
        var window = window
        let fitted = window.fit(messages, limit: limit, leaving: room, tokenizer) { messages in
            render(messages, options.tools, leavesLastOpen: sampling == nil, tokenizer)
        }
        self.window = window
        let beginning = tokenizer.beginning
        let prompt = beginning + fitted.tokens + (sampling == nil ? [] : replyOpening)
        let common = zip(log, prompt).prefix { $0 == $1 }.count
        let judges = sampling != nil && options.judgesCompleteness && messages.last?.role == .user
        let lastWordEnd = (judges ? fitted.newest : nil).flatMap {
            tokenizer.lastWordEnd(of: $0.rendered, in: $0.tokens)
        }
        .map { beginning.count + fitted.turnStart + $0 }
        // For a reply the last token is read in any case: the scores of what follows come from reading it. A prefill of
        // what is known already changes nothing.
        let kept =
            sampling != nil
            ? min(common, (lastWordEnd ?? prompt.count) - 1) : common == prompt.count ? log.count : common
        runs += 1
        run = Run(
            id: runs,
            prompt: prompt,
            headCount: beginning.count + fitted.headCount,
            turnStart: beginning.count + fitted.turnStart,
            lastWordEnd: lastWordEnd,
            unread: prompt[...],
            usage: ReplyUsage(promptTokens: prompt.count, cachedTokens: 0, generatedTokens: 0),
            reply: sampling.map { sampling in
                ReplyInProgress(
                    sampling: sampling,
                    budget: isThinking ? options.reasoning.budget : nil,
                    parser: parser(options.tools, isThinking: isThinking, isBegun: begun != nil, tokenizer),
                    begun: begun
                )
            }
        )
        return Plan(runID: runs, kept: kept)
    }

    /// The message that the reply goes on with, in the model's own tokens where it has said it; nil where there is none.
    private func begun(_ messages: [ChatMessage], _ tokenizer: PromptTokenizer) -> BegunMessage? {
        guard let message = messages.last, message.canBeContinued else { return nil }
        return BegunMessage(message.content) { words in
            for reply in replies.reversed() {
                guard
                    let (said, rest) = reply.tokens(of: ChatMessage(.assistant, words), showsReasoning: false),
                    !said.isEmpty
                else { continue }
                return said + tokenizer.tokens([.content(rest)])
            }
            return tokenizer.tokens([.content(words)])
        }
    }

    private func parser(
        _ tools: [ToolDeclaration],
        isThinking: Bool,
        isBegun: Bool,
        _ tokenizer: PromptTokenizer
    ) -> ReplyParser {
        // A model that was taught no calls means nothing by such words unless it is told of tools.
        let canCall = !tools.isEmpty || ["<tool_call>", "<|python_tag|>"].contains { tokenizer.control($0) != nil }
        return ReplyParser(
            calls: canCall ? tokenizer.format.calls : nil,
            tools: tools,
            thinks: tokenizer.format.thinks,
            beginsInThought: tokenizer.format.beginsInThought(isThinking: isThinking),
            beginsInLine: isBegun,
            callPrefix: "call-\(runs)-"
        )
    }

    /// Notes what of the log is really left, which may be less than planned.
    mutating func start(keeping count: Int) {
        log.removeLast(log.count - count)
        guard var run else { return }
        run.unread = run.unread.dropFirst(count)
        run.usage.cachedTokens = min(count, run.usage.promptTokens)
        self.run = run
    }

    /// Notes that the memory holds the first tokens of the run's prompt and nothing else: they came from elsewhere.
    mutating func hold(_ count: Int) {
        guard let run else { return }
        log = Array(run.prompt.prefix(count))
        self.run?.unread = run.prompt[...]
        start(keeping: count)
    }

    /// Forgets everything, as after a failure, but what is still in memory.
    mutating func reset(keeping held: [TokenID] = []) {
        self = ChatSeat(runs: runs)
        log = held
    }

    init() {}

    private init(runs: Int) {
        self.runs = runs
    }

    /// The conversation as tokens, message by message, with what the model said in its own tokens.
    private mutating func render(
        _ messages: [ChatMessage],
        _ tools: [ToolDeclaration],
        leavesLastOpen: Bool,
        _ tokenizer: PromptTokenizer
    ) -> ContextWindow.Parts {
        let prompt = tokenizer.format.render(messages, tools: tools)
        let before = known
        known = [:]
        func tokens(_ segments: [PromptSegment]) -> [TokenID] {
            let tokens = before[segments] ?? tokenizer.tokens(segments)
            known[segments] = tokens
            return tokens
        }
        let said = messages.suffix(prompt.messages.count)
        var kept: [GeneratedReply] = []
        var parts = ContextWindow.Parts(
            head: ContextWindow.Part(rendered: prompt.head, tokens: tokens(prompt.head.segments)),
            body: zip(said, prompt.messages).map { message, rendered in
                guard message.role == .assistant, let (reply, tokens) = remembered(message, rendered, tokenizer) else {
                    return ContextWindow.Part(rendered: rendered, tokens: tokens(rendered.segments))
                }
                kept.append(reply)
                return ContextWindow.Part(rendered: rendered, tokens: tokens)
            }
        )
        // A user's last message may go on while it is prefilled: its last token can become part of a longer one.
        if leavesLastOpen, said.last?.role == .user, let last = prompt.messages.last {
            parts.body[parts.body.count - 1].tokens = tokenizer.tokens(last.opening + last.body).dropLast()
        }
        replies = kept
        return parts
    }

    private func remembered(
        _ message: ChatMessage,
        _ rendered: RenderedMessage,
        _ tokenizer: PromptTokenizer
    ) -> (GeneratedReply, [TokenID])? {
        for reply in replies.reversed() {
            guard let (said, rest) = reply.tokens(of: message, showsReasoning: rendered.showsReasoning), !said.isEmpty
            else { continue }
            let tokens = tokenizer.tokens(rendered.opening) + said + tokenizer.tokens([.content(rest)])
            return (reply, tokens + tokenizer.tokens(rendered.closing))
        }
        return nil
    }
}

extension Reasoning {
    /// Whether there may be any.
    fileprivate var allowsThoughts: Bool { self != .off && budget != 0 }

    /// Tokens at most; nil for any number.
    fileprivate var budget: Int? {
        switch self {
        case .off: 0
        case .on: nil
        case .budget(let count): count
        }
    }
}
