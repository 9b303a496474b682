internal import NIOCore
internal import VoiceCore

/// What every part of one completion's answer says (platform.openai.com, API reference, "The chat completion object" and "The chat
/// completion chunk object").
struct CompletionForm: Sendable {
    /// The completion's identifier.
    let id: String
    /// When it was asked for, in seconds of Unix time.
    let created: Int
    /// The model's name.
    let model: String

    /// The end of a stream.
    static let end = ByteBuffer(string: "data: [DONE]\n\n")

    /// An event of a stream (WHATWG HTML, section 9.2.6): the JSON has no line breaks.
    static func event(_ value: JSONValue) -> ByteBuffer { ByteBuffer(string: "data: \(value.json)\n\n") }

    /// A chunk of a stream.
    /// - Parameters:
    ///   - reason: why the reply ends here; nil if it goes on.
    ///   - awaitsUsage: whether a chunk with the usage comes at the end; all others then have an empty one.
    func chunk(_ delta: JSONObject, reason: String? = nil, awaitsUsage: Bool) -> JSONValue {
        var chunk = head("chat.completion.chunk")
        let reason = reason.map { JSONValue.string($0) } ?? .null
        chunk["choices"] = .array([
            ["index": 0, "delta": .object(delta), "logprobs": .null, "finish_reason": reason]
        ])
        if awaitsUsage { chunk["usage"] = .null }
        return .object(chunk)
    }

    /// The chunk with the usage.
    func usageChunk(_ cost: CompletionCost) -> JSONValue {
        var chunk = head("chat.completion.chunk")
        chunk["choices"] = .array([])
        chunk["usage"] = cost.usage
        chunk["timings"] = cost.timings
        return .object(chunk)
    }

    /// A whole completion.
    func whole(_ message: JSONObject, reason: String, _ cost: CompletionCost) -> JSONValue {
        var whole = head("chat.completion")
        whole["choices"] = .array([
            ["index": 0, "message": .object(message), "logprobs": .null, "finish_reason": .string(reason)]
        ])
        whole["usage"] = cost.usage
        whole["timings"] = cost.timings
        return .object(whole)
    }

    private func head(_ kind: String) -> JSONObject {
        [
            "id": .string(id), "object": .string(kind), "created": .number(Double(created)), "model": .string(model),
        ]
    }
}

/// What a completion cost.
struct CompletionCost: Sendable {
    var tokens: ReplyUsage
    /// From the moment that it had a chat until its first token.
    var reading: Duration
    /// From there to its end.
    var speaking: Duration

    /// In OpenAI's form.
    var usage: JSONValue {
        [
            "prompt_tokens": .number(Double(tokens.promptTokens)),
            "completion_tokens": .number(Double(tokens.generatedTokens)),
            "total_tokens": .number(Double(tokens.promptTokens + tokens.generatedTokens)),
            "prompt_tokens_details": ["cached_tokens": .number(Double(tokens.cachedTokens))],
        ]
    }

    /// In llama-server's form (`result_timings` of tools/server, llama.cpp).
    var timings: JSONValue {
        [
            "cache_n": .number(Double(tokens.cachedTokens)),
            "prompt_n": .number(Double(tokens.promptTokens - tokens.cachedTokens)),
            "prompt_ms": .number(reading.milliseconds),
            "predicted_n": .number(Double(tokens.generatedTokens)),
            "predicted_ms": .number(speaking.milliseconds),
        ]
    }
}
