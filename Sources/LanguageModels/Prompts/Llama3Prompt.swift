internal import VoiceCore

/// Llama 3:
///
///     <|start_header_id|>user<|end_header_id|>
///
///     Hello!<|eot_id|>
///
/// Source: `chat_template` of Meta-Llama-3-8B-Instruct; models/templates/meta-llama-Llama-3.1-8B-Instruct.jinja and
/// meta-llama-Llama-3.2-3B-Instruct.jinja of llama.cpp 0c1e57098.
struct Llama3Prompt: PromptFormat {
    /// Llama 3.1 and later: a system message with dates in every conversation, and tools.
    let hasTools: Bool

    var name: String { hasTools ? "Llama 3.1" : "Llama 3" }
    let controls = [
        "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>",
    ]
    let writesBeginning = true
    var calls: ToolCallFormat? { hasTools ? .bare : nil }

    func replyOpening(isThinking: Bool) -> [PromptSegment] { header("assistant") }

    func render(_ messages: [ChatMessage], tools: [ToolDeclaration]) -> RenderedPrompt {
        let hasSystem = messages.first?.role == .system
        var rest = messages.dropFirst(hasSystem ? 1 : 0)
        var rendered: [RenderedMessage] = []
        if !tools.isEmpty, let first = rest.popFirst() { rendered.append(question(first, tools)) }
        return RenderedPrompt(
            head: head(hasSystem ? messages[0].content : nil, hasTools: !tools.isEmpty),
            messages: rendered + rest.map(message)
        )
    }

    private func header(_ role: String) -> [PromptSegment] {
        markup("<|start_header_id|>\(role)<|end_header_id|>\n\n")
    }

    private func head(_ system: String?, hasTools areTools: Bool) -> RenderedMessage {
        var head = RenderedMessage(opening: markup("<|begin_of_text|>"))
        if hasTools || system != nil {
            head.opening += header("system")
            head.body = [.content(PythonText.strip(system ?? ""))]
            head.closing = markup("<|eot_id|>")
        }
        if hasTools { head.opening.append(.text((areTools ? "Environment: ipython\n" : "") + Self.dates)) }
        return head
    }

    /// The first message, with the tools before it. The template makes it the person's even if the agent spoke first.
    private func question(_ message: ChatMessage, _ tools: [ToolDeclaration]) -> RenderedMessage {
        RenderedMessage(
            opening: header("user") + [.text(Self.beforeTools)]
                + tools.flatMap { [.content(JSONWriter.python(indent: 4).text(of: $0.json)), .text("\n\n")] },
            body: [.content(PythonText.strip(message.content))],
            closing: markup("<|eot_id|>")
        )
    }

    private func message(_ message: ChatMessage) -> RenderedMessage {
        var body: [PromptSegment] = [.content(PythonText.strip(message.content))]
        // A result is a text in JSON, whatever it was.
        if message.role == .tool, hasTools { body = [.content(JSONWriter.python().text(of: .string(message.content)))] }
        // What was said before a call is not kept.
        if !message.toolCalls.isEmpty, hasTools {
            body = Array(message.toolCalls.map(call).joined(separator: [.text("; ")]))
        }
        let role = message.role == .tool && hasTools ? "ipython" : message.role.rawValue
        return RenderedMessage(opening: header(role), body: body, closing: markup("<|eot_id|>"))
    }

    private func call(_ call: ToolCall) -> [PromptSegment] {
        [
            .text("{\"name\": \""), .content(call.name), .text("\", \"parameters\": "),
            .content(JSONWriter.python().text(of: .object(call.arguments))), .text("}"),
        ]
    }

    /// The template's own date where it is not told another one: a prompt that changed at midnight would be read anew.
    private static let dates = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"

    private static let beforeTools = """
        Given the following functions, please respond with a JSON for a function call with its proper arguments that best \
        answers the given prompt.

        Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.\
        Do not use variables.


        """
}
