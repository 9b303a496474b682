internal import VoiceCore

/// How conversations are written down for one family of models: what its Jinja template does, byte for byte.
///
/// Rendering is a pure function of the conversation. Which of these keep a conversation's beginning when it grows, so that
/// only new tokens have to be read, is in PROMPTS.md.
protocol PromptFormat: Sendable {
    /// The family's name, for messages.
    var name: String { get }
    /// The names of the control tokens that the format gives a meaning. No text of others becomes one of them.
    var controls: [String] { get }
    /// Whether the format begins with the token for the beginning itself.
    var writesBeginning: Bool { get }
    /// How the model writes calls; nil if its template has no tools.
    var calls: ToolCallFormat? { get }
    /// Whether the model can think before it speaks.
    var thinks: Bool { get }
    /// What ends thoughts that were cut off.
    var reasoningEnd: [PromptSegment] { get }

    /// The conversation, up to where the next message begins.
    /// - Parameters:
    ///   - messages: oldest first; a system message at the start is the instructions.
    ///   - tools: what the model may call.
    func render(_ messages: [ChatMessage], tools: [ToolDeclaration]) -> RenderedPrompt

    /// The start of the assistant's message, after which the model goes on.
    /// - Parameter isThinking: whether it may think first.
    func replyOpening(isThinking: Bool) -> [PromptSegment]
}

extension PromptFormat {
    var writesBeginning: Bool { false }
    var thinks: Bool { false }
    var reasoningEnd: [PromptSegment] { [] }

    /// Words of the template.
    func markup(_ words: String) -> [PromptSegment] { .markup(words, controls: controls) }

    /// Whether the model's first words are thoughts, because the prompt has begun them.
    func beginsInThought(isThinking: Bool) -> Bool {
        guard isThinking, thinks else { return false }
        let opening = replyOpening(isThinking: true)
        guard let start = opening.lastIndex(of: .control("<think>")) else { return false }
        return !opening[start...].contains(.control("</think>"))
    }

    /// Checks that the model can do what is asked for.
    /// - Throws: ``VoiceError/Code/usage`` if it cannot.
    func check(_ options: ChatOptions) throws(VoiceError) {
        if !options.tools.isEmpty, calls == nil {
            throw VoiceError(
                .usage,
                "The chat template of this model (\(name)) has no tools. Ask for a reply without them."
            )
        }
        switch options.reasoning {
        case .off: break
        case .budget(let count) where count < 0:
            throw VoiceError(.usage, "A reply cannot think for \(count) tokens. Give 0 or more.")
        case .budget(0): break
        case .on, .budget:
            guard thinks else {
                throw VoiceError(.usage, "This model (\(name)) does not think before it speaks. Set reasoning to off.")
            }
        }
    }
}

/// How a model writes that it wants something done.
enum ToolCallFormat: Sendable {
    /// Between `<tool_call>` and `</tool_call>`: an object of JSON, or elements `<function=…>` and `<parameter=…>`.
    case tagged
    /// An object of JSON that is the whole reply, or a line of it.
    case bare
}
