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
    private var runs = 0

    /// A reply or prefill under way.
    struct Run {
        /// Tells this run from earlier ones of the same chat.
        let id: Int
        /// Tokens of the prompt that are still to be read.
        var unread: ArraySlice<TokenID>
        var usage: ReplyUsage
        /// nil for a prefill.
        var reply: Reply?
    }

    /// What a reply needs while it is generated.
    struct Reply {
        var sampler: TokenSampler
        let maxTokens: Int
        var assembler = TextAssembler()
        var generated = GeneratedReply()
        /// The token that was chosen last and is not in memory yet.
        var pending: TokenID?
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
    ///   - sampling: nil to prefill.
    ///   - chatML: renders it.
    ///   - capacity: tokens that the chat may hold.
    mutating func plan(
        _ messages: [ChatMessage],
        sampling: SamplingOptions?,
        chatML: ChatML,
        capacity: Int
    ) -> Plan {
        if let generated = run?.reply?.generated, !generated.tokens.isEmpty { replies.append(generated) }
        let opening = sampling == nil ? [] : chatML.replyOpening
        // A quarter of the context at least is for the conversation so far, at most for the reply.
        let reserve = min(sampling?.maxTokens ?? 0, capacity / 4)
        let limit = capacity - reserve - chatML.replyOpening.count - chatML.beginning.count
        let parts = render(messages, leavesLastOpen: sampling == nil, chatML)
        let prompt = chatML.beginning + window.fit(parts, limit: limit, chatML: chatML) + opening
        let common = zip(log, prompt).prefix { $0 == $1 }.count
        // For a reply the last token is read in any case: the scores of what follows come from reading it. A prefill of
        // what is known already changes nothing.
        let kept = sampling != nil ? min(common, prompt.count - 1) : common == prompt.count ? log.count : common
        runs += 1
        run = Run(
            id: runs,
            unread: prompt[...],
            usage: ReplyUsage(promptTokens: prompt.count, cachedTokens: 0, generatedTokens: 0),
            reply: sampling.map { Reply(sampler: TokenSampler($0), maxTokens: max(0, $0.maxTokens)) }
        )
        return Plan(runID: runs, kept: kept)
    }

    /// Notes what of the log is really left, which may be less than planned.
    mutating func start(keeping count: Int) {
        log.removeLast(log.count - count)
        guard var run else { return }
        run.unread = run.unread.dropFirst(count)
        run.usage.cachedTokens = min(count, run.usage.promptTokens)
        self.run = run
    }

    /// Forgets everything, as after a failure.
    mutating func reset() {
        self = ChatSeat(runs: runs)
    }

    init() {}

    private init(runs: Int) {
        self.runs = runs
    }

    /// The conversation as tokens, message by message, with what the model said in its own tokens.
    private mutating func render(
        _ messages: [ChatMessage],
        leavesLastOpen: Bool,
        _ chatML: ChatML
    ) -> [ContextWindow.Part] {
        var messages = messages
        if messages.first?.role != .system, let text = chatML.defaultSystem {
            messages.insert(ChatMessage(.system, text), at: 0)
        }
        var kept: [GeneratedReply] = []
        var parts = messages.map { message in
            guard message.role == .assistant, let (reply, tokens) = remembered(message.content, chatML) else {
                return ContextWindow.Part(message: message, tokens: chatML.tokens(of: message))
            }
            kept.append(reply)
            return ContextWindow.Part(message: message, tokens: tokens)
        }
        // A user's last message may go on while it is prefilled: its last token can become part of a longer one.
        if leavesLastOpen, let last = messages.last, last.role == .user {
            parts[parts.count - 1].tokens = chatML.opened(last).dropLast()
        }
        replies = kept
        return parts
    }

    private func remembered(_ content: String, _ chatML: ChatML) -> (GeneratedReply, [TokenID])? {
        for reply in replies.reversed() {
            guard let (said, rest) = reply.tokens(within: content), !said.isEmpty else { continue }
            return (reply, chatML.tokens(said: said, rest: rest))
        }
        return nil
    }
}
