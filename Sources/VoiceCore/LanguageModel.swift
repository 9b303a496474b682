/// How the next token is chosen.
public struct SamplingOptions: Sendable, Equatable, Codable {
    /// Softmax temperature; 0 takes the most probable token each time.
    public var temperature: Float
    /// Only the k most probable tokens are considered; 0 considers all.
    public var topK: Int
    /// Only the most probable tokens that together reach this probability are considered; 1 considers all.
    public var topP: Float
    /// Tokens less probable than this share of the most probable one are dropped; 0 keeps all.
    public var minP: Float
    /// Logits of recent tokens are divided by this; 1 changes nothing.
    public var repeatPenalty: Float
    /// The random generator's seed: the same seed, prompt and batching give the same reply.
    public var seed: UInt32
    /// A reply ends after this many tokens; those that the model thinks with do not count.
    public var maxTokens: Int
    /// A reply ends before any of these texts, which may lie across tokens; they are not part of it. Thoughts and calls are not
    /// looked at.
    public var stop: [String]

    /// Makes sampling options; the defaults suit short spoken replies of a small model.
    public init(
        temperature: Float = 0.3,
        topK: Int = 40,
        topP: Float = 0.95,
        minP: Float = 0,
        repeatPenalty: Float = 1.1,
        seed: UInt32 = 42,
        maxTokens: Int = 100,
        stop: [String] = []
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repeatPenalty = repeatPenalty
        self.seed = seed
        self.maxTokens = maxTokens
        self.stop = stop
    }
}

/// What a reply cost. The keys are part of the command line's stable contract.
public struct ReplyUsage: Sendable, Equatable, Codable {
    /// Tokens of the whole prompt.
    public var promptTokens: Int
    /// Tokens of the prompt that were in memory already and cost nothing.
    public var cachedTokens: Int
    /// Tokens generated.
    public var generatedTokens: Int

    /// Makes a count.
    public init(promptTokens: Int, cachedTokens: Int, generatedTokens: Int) {
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.generatedTokens = generatedTokens
    }

    private enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens"
        case cachedTokens = "cached_tokens"
        case generatedTokens = "generated_tokens"
    }
}

/// One step of a reply.
public enum ReplyEvent: Sendable, Equatable {
    /// The next piece of text: one token, or several where a character spans tokens. Never empty, never markup.
    case text(String)
    /// The next piece of what the model thinks before it speaks. Never empty; never to be spoken.
    case reasoning(String)
    /// The model asks for something to be done. The text that stands before the call has come before it.
    case toolCall(ToolCall)
    /// The model tried to ask for something, in a form that cannot be read.
    case malformedCall(MalformedToolCall)
    /// How likely the user's last message is complete where it ends, in [0, 1]: the probability that the model gives the end of a
    /// sentence, or of the message, behind its last word. At most once, before the reply; only where
    /// ``ChatOptions/judgesCompleteness`` asks for it.
    case completeness(Float)
    /// What comes next takes longer than usual: what made the reply failed, and something else goes on with it.
    case delayed
    /// The reply is complete. Always the last event of a reply that was neither cancelled nor failed.
    case finished(ReplyUsage, truncated: Bool)
}

/// An engine that continues conversations. One engine serves any number of chats.
public protocol LanguageModel: Sendable {
    /// The model's name, for logs, reports and pages.
    var name: String { get }
    /// Tokens that one chat can hold, prompt and reply together.
    var contextLength: Int { get }
    /// Whether its chats tell how likely a message is complete: ``ReplyEvent/completeness(_:)``.
    var judgesCompleteness: Bool { get }
    /// Whether its chats go on with a message that broke off: ``ChatOptions/continuesLastMessage``.
    var continuesMessages: Bool { get }

    /// Opens a chat with an empty memory. Its memory is released when its last reference goes.
    /// - Throws: ``VoiceError/Code/exhausted`` when there is no room for one more chat.
    func openChat() async throws(VoiceError) -> any Chat
}

extension LanguageModel {
    /// It does not, unless it says so.
    public var judgesCompleteness: Bool { false }
    /// They do not, unless it says so.
    public var continuesMessages: Bool { false }
}

/// One conversation's memory in a language model.
///
/// The caller states the whole conversation each time; the chat works out which tokens it has already seen and
/// only computes new ones. One task calls it, one call at a time.
public protocol Chat: Sendable {
    /// Brings a conversation into memory ahead of need, so that the next reply with these options has less to do.
    ///
    /// Cancellation stops it after the running batch; what was computed stays in memory.
    /// - Parameters:
    ///   - messages: the conversation so far, oldest first.
    ///   - options: those of the reply.
    ///   - urgency: how pressing it is at each moment; nil where nobody else wants the device. Models that share none with
    ///     other engines do not look at it.
    /// - Returns: the counts, with `generatedTokens` 0.
    /// - Throws: ``VoiceError/Code/usage`` if the model cannot do what the options ask for, too.
    @discardableResult
    func prefill(
        _ messages: [ChatMessage],
        options: ChatOptions,
        urgency: Urgency?
    ) async throws(VoiceError) -> ReplyUsage

    /// Generates the assistant's next message.
    ///
    /// The stream ends by `finished`, by an error, or early when its consumer is cancelled; then at most one more
    /// token is computed. When the context would overflow, the oldest turns are left out, the system message never. The stream
    /// fails with ``VoiceError/Code/usage`` if the model cannot do what the options ask for.
    /// - Parameters:
    ///   - messages: the conversation so far, oldest first, ending with a user message or the results of calls.
    ///   - sampling: how tokens are chosen and how many at most.
    ///   - options: tools and reasoning.
    ///   - urgency: as in ``prefill(_:options:urgency:)``.
    func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        options: ChatOptions,
        urgency: Urgency?
    ) -> AsyncThrowingStream<ReplyEvent, any Error>
}

/// Replies that only speak.
extension Chat {
    /// Prefills for a reply without tools and reasoning.
    @discardableResult
    public func prefill(_ messages: [ChatMessage], urgency: Urgency? = nil) async throws(VoiceError) -> ReplyUsage {
        try await prefill(messages, options: ChatOptions(), urgency: urgency)
    }

    /// Replies without tools and reasoning.
    public func reply(
        to messages: [ChatMessage],
        sampling: SamplingOptions,
        urgency: Urgency? = nil
    ) -> AsyncThrowingStream<ReplyEvent, any Error> {
        reply(to: messages, sampling: sampling, options: ChatOptions(), urgency: urgency)
    }
}
