internal import VoiceCore

/// A model's Jinja template, of which we only find out which family's it is. What the family's templates do is written in
/// Swift (``PromptFormat``): a template is a program, and running a stranger's is not needed to talk to the models we know.
struct ChatTemplate: Sendable {
    /// The template's text.
    let source: String

    /// The families that are known, for messages.
    static let known = "ChatML (SmolLM2, Qwen2.5, Qwen3, Qwen3.5, Nemotron 3) and Llama 3"

    /// How the model's conversations are written; nil for a template of another family.
    ///
    /// Recognised by what only one family's templates say, so that a template that was corrected or shortened is still
    /// known. A template that is ChatML and asks for thoughts in a way we do not know is of another family: the model would
    /// answer nonsense. One whose tools we do not know can be spoken with, without tools.
    var format: (any PromptFormat)? {
        if says("<|start_header_id|>") { return llama3 }
        guard says("<|im_start|>") else { return nil }
        if says("truncate_history_thinking"), says("<think></think>") { return NemotronPrompt() }
        let isQwens = says("<tool_call>") && says("# Tools")
        if says("<think>") {
            guard isQwens, says("last_query_index"), says("enable_thinking") else { return nil }
            if says("<function="), says("<parameter=") { return Qwen35Prompt() }
            return chatML("Qwen3", calls: .tagged, thinks: true)
        }
        if isQwens, !says("<function="), says("You may call one or more functions to assist with the user query") {
            return chatML("Qwen2.5", calls: .tagged)
        }
        // Without tools of its own: Qwen's are the ones that most models of this family have seen.
        return says("tools") ? chatML("ChatML", calls: nil) : chatML("ChatML", calls: .tagged)
    }

    /// Others who have trained Llama on calls of their own write them otherwise.
    private var llama3: Llama3Prompt? {
        if says("Cutting Knowledge Date"), says("tools_in_user_message") { return Llama3Prompt(hasTools: true) }
        return says("tools") || says("functions") ? nil : Llama3Prompt(hasTools: false)
    }

    private func says(_ words: String) -> Bool { source.contains(words) }

    private func chatML(_ name: String, calls: ToolCallFormat?, thinks: Bool = false) -> ChatMLPrompt {
        ChatMLPrompt(name: name, defaultSystem: defaultSystem, calls: calls, thinks: thinks)
    }

    /// The text of a literal system message: `'<|im_start|>system\nTEXT<|im_end|>\n'`, which every ChatML template that has
    /// a default writes so (SmolLM2, Qwen2.5). A message put together from variables is none.
    var defaultSystem: String? {
        for quote in ["'", "\""] {
            for lineBreak in ["\\n", "\n"] {
                for opening in source.ranges(of: "\(quote)<|im_start|>system\(lineBreak)") {
                    let rest = source[opening.upperBound...]
                    guard let end = rest.firstRange(of: "<|im_end|>"), end.lowerBound > rest.startIndex,
                        !rest[..<end.lowerBound].contains(quote)
                    else { continue }
                    return String(rest[..<end.lowerBound].replacing("\\n", with: "\n"))
                }
            }
        }
        return nil
    }
}
