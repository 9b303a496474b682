internal import CoreMetrics
internal import VoiceCore

/// What a completion server counts. The names are in `docs/llm-server.md`.
struct CompletionMetrics: Sendable {
    /// Requests, refusals, errors.
    let service: ServiceMetrics
    private let factory: any MetricsFactory
    private let prompt: Counter
    private let cached: Counter
    private let generated: Counter
    private let queue: Timer
    private let firstToken: Timer

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    init(factory: any MetricsFactory) {
        self.factory = factory
        service = ServiceMetrics("llm", countsAudio: false, factory: factory)
        prompt = Counter(label: "voice_llm_prompt_tokens_total", dimensions: [], factory: factory)
        cached = Counter(label: "voice_llm_cached_tokens_total", dimensions: [], factory: factory)
        generated = Counter(label: "voice_llm_generated_tokens_total", dimensions: [], factory: factory)
        queue = Timer(label: "voice_llm_queue_seconds", dimensions: [], factory: factory)
        firstToken = Timer(label: "voice_llm_first_token_seconds", dimensions: [], factory: factory)
    }

    /// Notes how long a request waited for a chat.
    func waited(_ duration: Duration) { queue.recordNanoseconds(duration.nanoseconds) }

    /// Notes the time from a request's arrival to its first token.
    func spoke(after latency: Duration) { firstToken.recordNanoseconds(latency.nanoseconds) }

    /// Notes what a complete reply cost.
    func cost(_ usage: ReplyUsage) {
        prompt.increment(by: usage.promptTokens)
        cached.increment(by: usage.cachedTokens)
        generated.increment(by: usage.generatedTokens)
    }

    /// Notes why a reply ended: `stop`, `length`, `tool_calls`, `cancelled` or `failed`.
    func ended(_ reason: String) {
        Counter(label: "voice_llm_replies_total", dimensions: [("reason", reason)], factory: factory).increment()
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { Int64(milliseconds * 1e6) }
}
