internal import NIOCore
internal import VoiceCore

/// A request for a reply, checked (platform.openai.com, API reference, "Create chat completion"; vLLM 0.11,
/// entrypoints/openai/protocol.py, `ChatCompletionRequest`; llama.cpp, tools/server/README.md). The page `docs/llm-server.md` is its
/// specification.
struct CompletionRequest: Sendable {
    /// The conversation, oldest first.
    var messages: [ChatMessage]
    var sampling: SamplingOptions
    var options: ChatOptions
    /// Whether the reply comes while it is made.
    var isStreamed: Bool
    /// Whether a stream tells at its end what it cost.
    var tellsUsage: Bool
    /// Whether all calls count, or only the first.
    var allowsSeveralCalls: Bool

    /// What the server that was asked is.
    struct Host: Sendable {
        /// The names that its model goes by.
        var models: [String]
        var contextLength: Int
    }

    /// Fields that are acted on.
    private static let fields = [
        "messages", "model", "stream", "stream_options", "temperature", "top_p", "top_k", "min_p", "repetition_penalty",
        "repeat_penalty", "max_tokens", "max_completion_tokens", "stop", "seed", "tools", "tool_choice",
        "parallel_tool_calls",
        "chat_template_kwargs", "reasoning_effort", "thinking_budget_tokens", "continue_final_message",
        "add_generation_prompt",
    ]
    /// Fields that change nothing in what is said.
    private static let ignored = [
        "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
        "cache_prompt",
    ]
    /// Fields that cannot be acted on, with the values that ask for nothing.
    private static let neutral: [String: [JSONValue]] = [
        "n": [1], "best_of": [1], "frequency_penalty": [0], "presence_penalty": [0], "logit_bias": [[:], .array([])],
        "logprobs": [false], "top_logprobs": [0], "response_format": [["type": "text"]],
        "modalities": [.array(["text"])],
        "ignore_eos": [false], "verbosity": ["medium"],
    ]

    /// Checks a request's content.
    /// - Parameter seed: for requests that bring none.
    /// - Throws: what to answer instead.
    init(_ body: [ByteBuffer], host: Host, seed: UInt32) throws(OpenAIError) {
        let fields = try RequestFields(
            body,
            fields: Self.fields + Self.ignored + Self.neutral.keys,
            page: "docs/llm-server.md"
        )
        try Self.checkNeutral(fields)
        if let model = try fields.text("model"), !host.models.contains(model) {
            throw host.missing(model)
        }
        messages = try CompletionMessages.read(fields)
        isStreamed = try fields.flag("stream") ?? false
        tellsUsage = try fields.members("stream_options")?.flag("include_usage") ?? false
        allowsSeveralCalls = try fields.flag("parallel_tool_calls") ?? true
        sampling = try Self.sampling(fields, host, seed)
        options = ChatOptions(
            tools: try CompletionTools.read(fields),
            reasoning: try CompletionReasoning.read(fields)
        )
        options.continuesLastMessage = try Self.continues(fields, messages.last)
    }

    /// Whether the reply is the rest of the last message. In vLLM `add_generation_prompt`, which is true where it is missing, must be false
    /// then; SGLang does not ask for it.
    private static func continues(_ fields: RequestFields, _ last: ChatMessage?) throws(OpenAIError) -> Bool {
        let field = "continue_final_message"
        let continues = try fields.flag(field) ?? false
        guard try fields.flag("add_generation_prompt") ?? !continues != continues else {
            throw fields.error("add_generation_prompt", "must be the opposite of \(field)")
        }
        guard continues else { return false }
        guard last?.canBeContinued == true else {
            throw fields.error(field, "needs an assistant's message with words and without calls at the end")
        }
        return true
    }

    private static func checkNeutral(_ fields: RequestFields) throws(OpenAIError) {
        for (key, values) in neutral.sorted(by: { $0.key < $1.key }) {
            guard let value = fields[key], !values.contains(value) else { continue }
            throw fields.error(key, "cannot be had here; leave it out, or send \(values[0].json)")
        }
    }

    /// What is not said has the value that changes nothing, which is OpenAI's default where it has one.
    private static func sampling(
        _ fields: RequestFields,
        _ host: Host,
        _ seed: UInt32
    ) throws(OpenAIError) -> SamplingOptions {
        // vLLM's -1 means all.
        let topK = max(0, try fields.whole("top_k", in: -1...Int.max) ?? 0)
        let tokens = 1...Int.max
        var most = try fields.whole("max_tokens", in: tokens)
        if let newer = try fields.whole("max_completion_tokens", in: tokens) { most = newer }
        return SamplingOptions(
            temperature: Float(try fields.number("temperature", in: 0...2) ?? 1),
            topK: topK,
            topP: Float(try fields.number("top_p", in: 0...1) ?? 1),
            minP: Float(try fields.number("min_p", in: 0...1) ?? 0),
            repeatPenalty: Float(try repeatPenalty(fields) ?? 1),
            seed: try fields.whole("seed", in: Int.min...Int.max).map { UInt32(truncatingIfNeeded: $0) } ?? seed,
            maxTokens: min(most ?? host.contextLength, host.contextLength),
            stop: try stop(fields)
        )
    }

    /// vLLM's name and llama-server's for the same thing.
    private static func repeatPenalty(_ fields: RequestFields) throws(OpenAIError) -> Double? {
        let names = ["repetition_penalty", "repeat_penalty"]
        var value: Double?
        for name in names {
            guard let penalty = try fields.number(name, in: 1...10) else { continue }
            guard value == nil || value == penalty else {
                throw fields.error(name, "is not what \(names[0]) is; they mean the same here")
            }
            value = penalty
        }
        return value
    }

    /// One text, or up to four.
    private static func stop(_ fields: RequestFields) throws(OpenAIError) -> [String] {
        guard let value = fields["stop"] else { return [] }
        let texts = (value.elements ?? [value]).map(\.text)
        guard texts.count <= 4, texts.allSatisfy({ $0.map { !$0.isEmpty && $0.utf8.count <= 1_024 } ?? false }) else {
            throw fields.error("stop", "must be a text, or up to four, each of 1 to 1024 bytes")
        }
        return texts.compactMap { $0 }
    }
}
