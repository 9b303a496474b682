internal import VoiceCore

/// What is asked of a server: the body of `POST /chat/completions`.
struct CompletionRequest {
    /// The model's name on the server.
    var model: String
    /// The conversation, oldest first.
    var messages: [ChatMessage]
    /// How the reply is chosen.
    var sampling: SamplingOptions
    /// Tools and reasoning.
    var options: ChatOptions
    /// Whether to send what OpenAI's own service does not know and vLLM, SGLang, llama-server and NIM do.
    var extended: Bool

    /// The body, streamed, with the usage in the last event.
    var body: JSONValue {
        var body: JSONObject = [
            "model": .string(model),
            "messages": .array(messages.map(Self.json)),
            "stream": true,
            "stream_options": ["include_usage": true],
            "temperature": .number(Double(sampling.temperature)),
            "top_p": .number(Double(sampling.topP)),
            "seed": .number(Double(sampling.seed)),
            "max_tokens": .number(Double(sampling.maxTokens)),
        ]
        if !sampling.stop.isEmpty { body["stop"] = .array(sampling.stop.map { .string($0) }) }
        if !options.tools.isEmpty {
            body["tools"] = .array(options.tools.map(\.json))
            body["tool_choice"] = "auto"
        }
        guard extended else { return .object(body) }
        // What vLLM calls repetition_penalty llama-server calls repeat_penalty; each ignores the other's name.
        if sampling.topK > 0 { body["top_k"] = .number(Double(sampling.topK)) }
        if sampling.minP > 0 { body["min_p"] = .number(Double(sampling.minP)) }
        if sampling.repeatPenalty != 1 {
            body["repetition_penalty"] = .number(Double(sampling.repeatPenalty))
            body["repeat_penalty"] = .number(Double(sampling.repeatPenalty))
        }
        body["cache_prompt"] = true
        if options.continuesLastMessage {
            body["continue_final_message"] = true
            body["add_generation_prompt"] = false
        }
        switch options.reasoning {
        case .off: body["chat_template_kwargs"] = ["enable_thinking": false]
        case .on: body["chat_template_kwargs"] = ["enable_thinking": true]
        case .budget(let tokens):
            body["chat_template_kwargs"] = ["enable_thinking": true]
            body["thinking_budget_tokens"] = .number(Double(tokens))
        }
        return .object(body)
    }

    private static func json(_ message: ChatMessage) -> JSONValue {
        var json: JSONObject = ["role": .string(message.role.rawValue), "content": .string(message.content)]
        if !message.toolCalls.isEmpty {
            json["tool_calls"] = .array(
                message.toolCalls.map { call in
                    [
                        "id": .string(call.id), "type": "function",
                        "function": [
                            "name": .string(call.name), "arguments": .string(JSONValue.object(call.arguments).json),
                        ],
                    ]
                }
            )
        }
        json["tool_call_id"] = message.toolCallID.map { .string($0) }
        return .object(json)
    }
}
