internal import VoiceCore

/// The messages of a request. They may end with the assistant's, as those that are read ahead of need do; the reply is then a
/// message of its own, as vLLM has it, unless `continue_final_message` asks for its rest.
enum CompletionMessages {
    /// Reads them.
    /// - Throws: what is wrong, with the place.
    static func read(_ fields: RequestFields) throws(OpenAIError) -> [ChatMessage] {
        guard let elements = try fields.elements("messages"), !elements.isEmpty else {
            throw fields.error("messages", "must be an array with at least one message")
        }
        var messages: [ChatMessage] = []
        for (index, element) in elements.enumerated() {
            guard let members = element.members else { throw fields.error("messages[\(index)]", "must be an object") }
            messages.append(try message(RequestFields(members, at: "messages[\(index)].")))
        }
        return messages
    }

    private static func message(_ fields: RequestFields) throws(OpenAIError) -> ChatMessage {
        switch try fields.text("role") {
        case "system", "developer": return ChatMessage(.system, try content(fields))
        case "user": return ChatMessage(.user, try content(fields))
        case "assistant":
            let calls = try calls(fields)
            var reasoning = try fields.text("reasoning")
            if let thoughts = try fields.text("reasoning_content") { reasoning = thoughts }
            return ChatMessage(
                .assistant,
                try content(fields, mayBeMissing: !calls.isEmpty),
                toolCalls: calls,
                reasoning: reasoning
            )
        case "tool":
            guard let call = try fields.text("tool_call_id") else {
                throw fields.error("tool_call_id", "must name the call that this is the result of")
            }
            var message = ChatMessage(.tool, try content(fields))
            message.toolCallID = call
            return message
        default: throw fields.error("role", "must be one of system, developer, user, assistant, tool")
        }
    }

    /// A text, or parts that are texts: lines, as vLLM takes them (entrypoints/chat_utils.py).
    private static func content(_ fields: RequestFields, mayBeMissing: Bool = false) throws(OpenAIError) -> String {
        guard let value = fields["content"] else {
            guard mayBeMissing else { throw fields.error("content", "must be a text, or parts of type text") }
            return ""
        }
        if let text = value.text { return text }
        var texts: [String] = []
        for part in value.elements ?? [.null] {
            guard part["type"] == "text", let text = part["text"]?.text else {
                throw fields.error("content", "must be a text, or parts of type text; this model reads nothing else")
            }
            texts.append(text)
        }
        return texts.joined(separator: "\n")
    }

    private static func calls(_ fields: RequestFields) throws(OpenAIError) -> [ToolCall] {
        var calls: [ToolCall] = []
        for (index, element) in (try fields.elements("tool_calls") ?? []).enumerated() {
            guard let name = element["function"]?["name"]?.text else {
                throw fields.error("tool_calls[\(index)].function.name", "must be a text")
            }
            calls.append(
                ToolCall(
                    id: element["id"]?.text ?? "",
                    name: name,
                    arguments: arguments(element["function"]?["arguments"])
                )
            )
        }
        return calls
    }

    /// An object, mostly as text. What a model wrote need not be one; the result that follows says so.
    private static func arguments(_ value: JSONValue?) -> JSONObject {
        (value?.text.flatMap { JSONValue(json: $0) } ?? value)?.members ?? [:]
    }
}
