internal import VoiceCore

/// The chunks of one streamed completion: JSON texts in, events of a reply out.
///
/// A value. Source of the forms: OpenAI, "Chat completion chunk"; what vLLM, SGLang, llama-server and NIM add or do otherwise:
/// `reasoning` for `reasoning_content`, calls whose indices are wrong, usage in the last chunk or beside the last choice.
struct CompletionStream {
    /// More is no reply for a voice.
    static let longestReply = 1 << 20
    private static let mostCalls = 64

    private struct Call {
        var index: Int?
        var id: String
        var name = ""
        var arguments = ""
    }

    private var calls: [Call] = []
    private var usage: ReplyUsage?
    private var isTruncated = false
    private var length = 0
    private let callPrefix: String
    /// Whether the model was told not to think: then what comes as reasoning, and nothing else, is what it says.
    private let isPlain: Bool
    private var reasoning = ""
    private var hasText = false
    /// Whether the server said that the reply is complete.
    private(set) var isComplete = false

    /// - Parameters:
    ///   - callPrefix: what identifiers begin with of calls that come without one.
    ///   - reasoning: whether the model was asked to think.
    init(callPrefix: String, reasoning: Reasoning) {
        self.callPrefix = callPrefix
        isPlain = reasoning == .off
    }

    /// Takes the data of the next event.
    /// - Throws: ``VoiceError/Code/malformedInput`` for what is no chunk, ``VoiceError/Code/unavailable`` for an error that the
    ///   server reports.
    mutating func feed(_ data: String) throws(VoiceError) -> [ReplyEvent] {
        guard data != "[DONE]" else {
            isComplete = true
            return []
        }
        guard let chunk = JSONValue(json: data), case .object = chunk else {
            throw VoiceError(.malformedInput, "it sends what is no JSON: \(data.prefix(200))")
        }
        if let error = chunk["error"] {
            throw VoiceError(.unavailable, "it reports: \((error["message"]?.text ?? error.json).prefix(500))")
        }
        if let usage = chunk["usage"] { take(usage) }
        guard let choice = chunk["choices"]?.elements?.first else { return [] }
        if let usage = choice["usage"] { take(usage) }
        var events: [ReplyEvent] = []
        if let delta = choice["delta"] ?? choice["message"] {
            if let text = (delta["reasoning_content"] ?? delta["reasoning"])?.text, !text.isEmpty {
                try count(text)
                if isPlain { reasoning += text } else { events.append(.reasoning(text)) }
            }
            if let text = delta["content"]?.text, !text.isEmpty {
                try count(text)
                hasText = true
                events.append(.text(text))
            }
            for call in delta["tool_calls"]?.elements ?? [] { try take(call: call) }
        }
        if let reason = choice["finish_reason"]?.text {
            isComplete = true
            isTruncated = reason == "length"
        }
        return events
    }

    /// Ends the reply: the calls, then what it cost.
    mutating func finish() -> [ReplyEvent] {
        var events: [ReplyEvent] = []
        // Some parsers of reasoning take all for thought when there is none (vLLM with nemotron's parser).
        if isPlain, !hasText, calls.isEmpty, !reasoning.isEmpty { events.append(.text(reasoning)) }
        for (number, call) in calls.enumerated() {
            let arguments = call.arguments.isEmpty ? "{}" : call.arguments
            guard case .object(let object)? = JSONValue(json: arguments) else {
                events.append(
                    .malformedCall(
                        MalformedToolCall(
                            name: call.name.isEmpty ? nil : call.name,
                            text: String(arguments.prefix(500)),
                            problem: "The arguments are no JSON object."
                        )
                    )
                )
                continue
            }
            let id = call.id.isEmpty ? "\(callPrefix)\(number)" : call.id
            events.append(.toolCall(ToolCall(id: id, name: call.name, arguments: object)))
        }
        calls = []
        let none = ReplyUsage(promptTokens: 0, cachedTokens: 0, generatedTokens: 0)
        events.append(.finished(usage ?? none, truncated: isTruncated))
        return events
    }

    private mutating func take(_ usage: JSONValue) {
        let prompt = usage["prompt_tokens"]?.whole ?? 0
        self.usage = ReplyUsage(
            promptTokens: max(0, prompt),
            cachedTokens: max(0, min(prompt, usage["prompt_tokens_details"]?["cached_tokens"]?.whole ?? 0)),
            generatedTokens: max(0, usage["completion_tokens"]?.whole ?? 0)
        )
    }

    /// Takes a piece of a call. Pieces belong together by their identifier, else by their index; a piece with neither continues
    /// the last call.
    private mutating func take(call piece: JSONValue) throws(VoiceError) {
        let (id, index) = (piece["id"]?.text ?? "", piece["index"]?.whole)
        let name = piece["function"]?["name"]?.text ?? ""
        let arguments = piece["function"]?["arguments"]
        // Some servers send the arguments as an object at once.
        let text = arguments?.text ?? arguments.map { $0.json } ?? ""
        try count(text)
        try count(name)
        let known = calls.lastIndex { id.isEmpty ? index == nil || $0.index == index : $0.id == id }
        // A name begins a call, even where the index is that of the one before.
        let begins = known.map { self.begins(calls[$0], id: id, index: index, name: name) } ?? true
        guard !begins, let known else {
            guard calls.count < Self.mostCalls else {
                throw VoiceError(.malformedInput, "it sends more than \(Self.mostCalls) calls of tools in one reply")
            }
            calls.append(Call(index: index, id: id, name: name, arguments: text))
            return
        }
        if calls[known].name.isEmpty { calls[known].name = name }
        calls[known].arguments += text
    }

    /// Whether a piece that could continue a call begins another one. Some servers repeat the name in every piece.
    private func begins(_ call: Call, id: String, index: Int?, name: String) -> Bool {
        guard !name.isEmpty, !call.name.isEmpty else { return false }
        return id.isEmpty ? index == nil || name != call.name : id != call.id
    }

    private mutating func count(_ text: String) throws(VoiceError) {
        length += text.utf8.count
        guard length <= Self.longestReply else {
            throw VoiceError(.malformedInput, "its reply is longer than \(Self.longestReply) bytes")
        }
    }
}
