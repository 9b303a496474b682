internal import VoiceCore

/// A reply as it is made: events in, pieces of OpenAI's form out.
///
/// A value.
struct CompletionReply: Sendable {
    /// What it cost; nil until it is complete.
    private(set) var usage: ReplyUsage?
    private var text = ""
    private var reasoning = ""
    private var calls: [Call] = []
    private var isTruncated = false
    private let allowsSeveralCalls: Bool
    private let makeID: @Sendable () -> String

    /// A call, with its arguments as text: a model need not write them well.
    private struct Call {
        var id: String
        var name: String
        var arguments: String
        /// What was understood; nil if nothing was.
        var understood: ToolCall?

        var json: JSONObject {
            [
                "id": .string(id), "type": "function",
                "function": ["name": .string(name), "arguments": .string(arguments)],
            ]
        }
    }

    /// - Parameters:
    ///   - allowsSeveralCalls: whether more than the first call counts.
    ///   - makeID: makes identifiers of calls, unlike any other.
    init(allowsSeveralCalls: Bool, makeID: @escaping @Sendable () -> String) {
        self.allowsSeveralCalls = allowsSeveralCalls
        self.makeID = makeID
    }

    /// Takes the next event.
    /// - Returns: the `delta` of the chunk that tells of it; nil if there is nothing to tell.
    mutating func take(_ event: ReplyEvent) -> JSONObject? {
        switch event {
        case .text(let piece):
            text += piece
            return ["content": .string(piece)]
        case .reasoning(let piece):
            reasoning += piece
            return ["reasoning_content": .string(piece)]
        case .toolCall(let call):
            let arguments = JSONValue.object(call.arguments).json
            return take(Call(id: makeID(), name: call.name, arguments: arguments, understood: call))
        case .malformedCall(let call):
            // Whoever reads the arguments finds that they are no JSON, and tells the model.
            return take(Call(id: makeID(), name: call.name ?? "", arguments: call.text))
        case .delayed, .completeness: return nil
        case .finished(let usage, let truncated):
            self.usage = usage
            isTruncated = truncated
            return nil
        }
    }

    private mutating func take(_ call: Call) -> JSONObject? {
        guard allowsSeveralCalls || calls.isEmpty else { return nil }
        calls.append(call)
        var json = call.json
        json["index"] = .number(Double(calls.count - 1))
        return ["tool_calls": .array([.object(json)])]
    }

    /// Why it ended.
    var reason: String { !calls.isEmpty ? "tool_calls" : isTruncated ? "length" : "stop" }

    /// The whole message.
    var message: JSONObject {
        var message: JSONObject = [
            "role": "assistant", "content": text.isEmpty && !calls.isEmpty ? .null : .string(text),
        ]
        if !reasoning.isEmpty { message["reasoning_content"] = .string(reasoning) }
        if !calls.isEmpty { message["tool_calls"] = .array(calls.map { .object($0.json) }) }
        return message
    }

    /// What a chat remembers to have said.
    var said: ChatMessage {
        ChatMessage(
            .assistant,
            text,
            toolCalls: calls.compactMap(\.understood),
            reasoning: reasoning.isEmpty ? nil : reasoning
        )
    }
}
