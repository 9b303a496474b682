internal import VoiceCore

/// Qwen3.5: ChatML whose calls are elements instead of JSON, with the tools before the instructions.
///
/// Source: models/templates/Qwen3.5-4B.jinja of llama.cpp 0c1e57098.
struct Qwen35Prompt: PromptFormat {
    let name = "Qwen3.5"
    let calls: ToolCallFormat? = .tagged
    let thinks = true

    var controls: [String] { ChatMLPrompt.controls }

    var reasoningEnd: [PromptSegment] { markup("\n</think>\n\n") }

    func replyOpening(isThinking: Bool) -> [PromptSegment] {
        markup("<|im_start|>assistant\n<think>\n" + (isThinking ? "" : "\n</think>\n\n"))
    }

    func render(_ messages: [ChatMessage], tools: [ToolDeclaration]) -> RenderedPrompt {
        let hasSystem = messages.first?.role == .system
        let query = QwenTurns.lastQuery(of: messages, strips: true)
        return RenderedPrompt(
            head: head(hasSystem ? PythonText.strip(messages[0].content) : nil, tools),
            messages: messages.indices.dropFirst(hasSystem ? 1 : 0).map { index in
                let content = PythonText.strip(messages[index].content)
                return switch messages[index].role {
                case .assistant: answer(messages[index], content, isOpen: index > query)
                case .tool: QwenTurns.result(messages, index, content, self)
                case .system, .user:
                    RenderedMessage(
                        opening: markup("<|im_start|>\(messages[index].role.rawValue)\n"),
                        body: [.content(content)],
                        closing: markup("<|im_end|>\n")
                    )
                }
            }
        )
    }

    private func head(_ system: String?, _ tools: [ToolDeclaration]) -> RenderedMessage {
        guard system != nil || !tools.isEmpty else { return RenderedMessage() }
        var head = RenderedMessage(opening: markup("<|im_start|>system\n"), closing: markup("<|im_end|>\n"))
        if !tools.isEmpty {
            head.opening += markup("# Tools\n\nYou have access to the following functions:\n\n<tools>")
            head.opening += QwenTurns.declarations(tools) + markup("\n</tools>" + XMLToolCalls.instructions)
            if system?.isEmpty == false { head.opening.append(.text("\n\n")) }
        }
        head.body = system.map { [.content($0)] } ?? []
        return head
    }

    /// - Parameter isOpen: whether the person has not spoken since: only then are thoughts shown, if only empty ones.
    private func answer(_ message: ChatMessage, _ content: String, isOpen: Bool) -> RenderedMessage {
        let thoughts = PythonText.strip(message.reasoning ?? "")
        var rendered = RenderedMessage(opening: markup("<|im_start|>assistant\n"), closing: markup("<|im_end|>\n"))
        if isOpen, thoughts.isEmpty {
            rendered.opening = replyOpening(isThinking: false)
        } else if isOpen {
            rendered.opening = replyOpening(isThinking: true)
            rendered.body = [.content(thoughts)] + reasoningEnd
            rendered.showsReasoning = true
        }
        if !content.isEmpty { rendered.body.append(.content(content)) }
        for (index, call) in message.toolCalls.enumerated() {
            if index > 0 || !content.isEmpty { rendered.body.append(.text(index == 0 ? "\n\n" : "\n")) }
            rendered.body += XMLToolCalls.segments(call, self)
        }
        return rendered
    }
}
