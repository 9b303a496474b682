internal import VoiceCore

/// ChatML as SmolLM2, Qwen2.5 and Qwen3 write it:
///
///     <|im_start|>user
///     Hello!<|im_end|>
///     <|im_start|>assistant
///
/// Source: `tokenizer.chat_template` of SmolLM2-135M-Instruct; models/templates/Qwen-Qwen2.5-7B-Instruct.jinja and
/// Qwen-Qwen3-0.6B.jinja of llama.cpp 0c1e57098.
struct ChatMLPrompt: PromptFormat {
    let name: String
    /// What the template says when a conversation does not begin with a system message.
    let defaultSystem: String?
    let calls: ToolCallFormat?
    let thinks: Bool

    static let controls = [
        "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>",
        "</tool_response>",
    ]
    var controls: [String] { Self.controls }

    var reasoningEnd: [PromptSegment] { thinks ? markup("\n</think>\n\n") : [] }

    func replyOpening(isThinking: Bool) -> [PromptSegment] {
        // A model that may think opens its thoughts itself.
        markup("<|im_start|>assistant\n" + (thinks && !isThinking ? "<think>\n\n</think>\n\n" : ""))
    }

    func render(_ messages: [ChatMessage], tools: [ToolDeclaration]) -> RenderedPrompt {
        let hasSystem = messages.first?.role == .system
        let query = QwenTurns.lastQuery(of: messages)
        return RenderedPrompt(
            head: head(hasSystem ? messages[0].content : defaultSystem, tools),
            messages: messages.indices.dropFirst(hasSystem ? 1 : 0).map { index in
                switch messages[index].role {
                case .assistant: answer(messages[index], isLast: index == messages.count - 1, isOpen: index > query)
                case .tool: QwenTurns.result(messages, index, messages[index].content, self)
                case .system, .user: said(messages[index])
                }
            }
        )
    }

    private func said(_ message: ChatMessage) -> RenderedMessage {
        RenderedMessage(
            opening: markup("<|im_start|>\(message.role.rawValue)\n"),
            body: [.content(message.content)],
            closing: markup("<|im_end|>\n")
        )
    }

    private func head(_ system: String?, _ tools: [ToolDeclaration]) -> RenderedMessage {
        guard system != nil || !tools.isEmpty else { return RenderedMessage() }
        var closing: [PromptSegment] = []
        if !tools.isEmpty {
            closing += markup((system == nil ? "" : "\n\n") + Self.beforeTools)
            closing += QwenTurns.declarations(tools)
            closing += markup(Self.afterTools)
        }
        return RenderedMessage(
            opening: markup("<|im_start|>system\n"),
            body: system.map { [.content($0)] } ?? [],
            closing: closing + markup("<|im_end|>\n")
        )
    }

    /// - Parameters:
    ///   - isLast: whether nothing comes after it.
    ///   - isOpen: whether the person has not spoken since.
    private func answer(_ message: ChatMessage, isLast: Bool, isOpen: Bool) -> RenderedMessage {
        let thoughts = PythonText.stripLines(message.reasoning ?? "")
        let showsThoughts = thinks && isOpen && (isLast || !(message.reasoning ?? "").isEmpty)
        let content = showsThoughts ? PythonText.stripLeadingLines(message.content) : message.content
        var body: [PromptSegment] = []
        if showsThoughts {
            body += markup("<think>\n") + [.content(thoughts)] + markup("\n</think>\n\n")
        }
        if !content.isEmpty { body.append(.content(content)) }
        for (index, call) in message.toolCalls.enumerated() {
            let isFirst = index == 0 && message.content.isEmpty
            body += markup((isFirst ? "" : "\n") + "<tool_call>\n{\"name\": \"") + [.content(call.name)]
            body += [.text("\", \"arguments\": "), .content(JSONWriter.python().text(of: .object(call.arguments)))]
            body += markup("}\n</tool_call>")
        }
        return RenderedMessage(
            opening: markup("<|im_start|>assistant\n"),
            body: body,
            closing: markup("<|im_end|>\n"),
            showsReasoning: showsThoughts
        )
    }

    private static let beforeTools = """
        # Tools

        You may call one or more functions to assist with the user query.

        You are provided with function signatures within <tools></tools> XML tags:
        <tools>
        """

    private static let afterTools = """

        </tools>

        For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
        <tool_call>
        {"name": <function-name>, "arguments": <args-json-object>}
        </tool_call>
        """
}

/// What all templates of Qwen do with turns and tools.
enum QwenTurns {
    /// Where the person spoke last; the last message if nobody has. A text that looks like a tool's result is not the
    /// person's, for some programs write results so.
    static func lastQuery(of messages: [ChatMessage], strips: Bool = false) -> Int {
        let query = messages.lastIndex { message in
            guard message.role == .user else { return false }
            let text = strips ? PythonText.strip(message.content) : message.content
            return !(text.hasPrefix("<tool_response>") && text.hasSuffix("</tool_response>"))
        }
        return query ?? messages.count - 1
    }

    /// The tools, one a line.
    static func declarations(_ tools: [ToolDeclaration]) -> [PromptSegment] {
        tools.flatMap { [.text("\n"), .content(JSONWriter.python().text(of: $0.json))] }
    }

    /// A tool's result: in a user's turn that it shares with the results before and after it.
    static func result(
        _ messages: [ChatMessage],
        _ index: Int,
        _ content: String,
        _ format: some PromptFormat
    ) -> RenderedMessage {
        let isFirst = index == 0 || messages[index - 1].role != .tool
        let isLast = index == messages.count - 1 || messages[index + 1].role != .tool
        return RenderedMessage(
            opening: format.markup((isFirst ? "<|im_start|>user" : "") + "\n<tool_response>\n"),
            body: [.content(content)],
            closing: format.markup("\n</tool_response>" + (isLast ? "<|im_end|>\n" : ""))
        )
    }
}
