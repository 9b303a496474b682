internal import VoiceCore

/// Nemotron 3: ChatML in which every answer begins with thoughts, mostly empty ones.
///
/// Source: models/templates/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16.jinja of llama.cpp 0c1e57098.
struct NemotronPrompt: PromptFormat {
    let name = "Nemotron 3"
    let calls: ToolCallFormat? = .tagged
    let thinks = true

    var controls: [String] { ChatMLPrompt.controls }

    var reasoningEnd: [PromptSegment] { markup("\n</think>\n") }

    func replyOpening(isThinking: Bool) -> [PromptSegment] {
        markup("<|im_start|>assistant\n" + (isThinking ? "<think>\n" : "<think></think>"))
    }

    func render(_ messages: [ChatMessage], tools: [ToolDeclaration]) -> RenderedPrompt {
        let hasSystem = messages.first?.role == .system
        let question = messages.lastIndex { $0.role == .user } ?? -1
        return RenderedPrompt(
            head: head(hasSystem ? messages[0].content : "", tools),
            messages: messages.indices.dropFirst(hasSystem ? 1 : 0).map { index in
                switch messages[index].role {
                case .assistant: answer(messages[index], isOpen: index >= question)
                case .tool: result(messages, index)
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

    /// There is a system message even without instructions.
    private func head(_ system: String, _ tools: [ToolDeclaration]) -> RenderedMessage {
        var closing: [PromptSegment] = []
        if !tools.isEmpty {
            closing += markup(
                (system.isEmpty ? "" : "\n\n") + "# Tools\n\nYou have access to the following functions:\n\n<tools>"
            )
            closing += tools.flatMap(declaration)
            closing += markup("\n</tools>" + XMLToolCalls.instructions)
        }
        return RenderedMessage(
            opening: markup("<|im_start|>system\n"),
            body: [.content(system)],
            closing: closing + markup("<|im_end|>\n")
        )
    }

    /// - Parameter isOpen: whether the person has not spoken since: only then are thoughts shown.
    private func answer(_ message: ChatMessage, isOpen: Bool) -> RenderedMessage {
        let thoughts = PythonText.strip(message.reasoning ?? "").isEmpty ? nil : message.reasoning
        var rendered = RenderedMessage(opening: markup("<|im_start|>assistant\n"), closing: markup("<|im_end|>\n"))
        let content: String
        if let thoughts, isOpen {
            rendered.opening += markup("<think>\n")
            rendered.body = [.content(thoughts)] + markup("\n</think>\n")
            rendered.showsReasoning = true
            content = PythonText.stripEnd(message.content)
            // The break after the thoughts is stripped, too, where nothing follows it.
            if content.isEmpty { rendered.body = [.content(thoughts)] + markup("\n</think>") }
        } else {
            rendered.opening += markup("<think></think>")
            // Thoughts that are left out leave the break after them behind, but not before calls.
            let text = (thoughts == nil ? "" : "\n") + message.content
            content = isOpen || message.toolCalls.isEmpty ? PythonText.stripEnd(text) : PythonText.strip(text)
        }
        if !content.isEmpty { rendered.body.append(.content(content)) }
        guard !message.toolCalls.isEmpty else { return rendered }
        rendered.body.append(.text("\n"))
        for call in message.toolCalls { rendered.body += XMLToolCalls.segments(call, self) + [.text("\n")] }
        return rendered
    }

    /// A tool's result: in a user's turn that it shares with the results before and after it.
    private func result(_ messages: [ChatMessage], _ index: Int) -> RenderedMessage {
        let isFirst = index == 0 || messages[index - 1].role != .tool
        let isLast = index == messages.count - 1 || messages[index + 1].role != .tool
        return RenderedMessage(
            opening: markup((isFirst ? "<|im_start|>user\n" : "") + "<tool_response>\n"),
            body: [.content(messages[index].content)],
            closing: markup("\n</tool_response>\n" + (isLast ? "<|im_end|>\n" : ""))
        )
    }
}

// MARK: - Tools

extension NemotronPrompt {
    private func declaration(_ tool: ToolDeclaration) -> [PromptSegment] {
        var segments: [PromptSegment] = [.text("\n<function>\n<name>"), .content(tool.name), .text("</name>")]
        if !tool.description.isEmpty { segments += element("description", PythonText.strip(tool.description)) }
        segments.append(.text("\n<parameters>"))
        let parameters = tool.parameters.source.members ?? JSONObject()
        for (name, form) in parameters["properties"]?.members ?? JSONObject() { segments += parameter(name, form) }
        segments += others(parameters, but: ["type", "properties", "required"])
        if let required = parameters["required"] {
            segments += element("required", JSONWriter.python().text(of: required))
        }
        return segments + [.text("\n</parameters>\n</function>")]
    }

    private func parameter(_ name: String, _ form: JSONValue) -> [PromptSegment] {
        var segments: [PromptSegment] = [.text("\n<parameter>")] + element("name", name)
        let form = form.members ?? JSONObject()
        if let type = form["type"] { segments += element("type", PythonText.type(type)) }
        if let text = form["description"] {
            segments += element("description", PythonText.strip(PythonText.value(text)))
        }
        if let choices = form["enum"] { segments += element("enum", JSONWriter.python().text(of: choices)) }
        segments += others(form, but: ["name", "type", "description", "enum"])
        return segments + [.text("\n</parameter>")]
    }

    private func others(_ members: JSONObject, but known: [String]) -> [PromptSegment] {
        members.filter { !known.contains($0.key) }.flatMap { element($0.key, PythonText.value($0.value)) }
    }

    private func element(_ name: String, _ text: String) -> [PromptSegment] {
        [.text("\n<"), .content(name), .text(">"), .content(text), .text("</"), .content(name), .text(">")]
    }
}
