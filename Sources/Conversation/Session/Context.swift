internal import VoiceCore

/// What the language model knows of the conversation: what was said and what was heard, nothing else.
struct Context: Sendable {
    /// The conversation, oldest first, the system message at its head.
    private(set) var messages: [ChatMessage]

    init(systemPrompt: String) {
        messages = systemPrompt.isEmpty ? [] : [ChatMessage(.system, systemPrompt)]
    }

    /// The conversation with a user message at its end, as a reply wants it.
    func asked(_ text: String) -> [ChatMessage] { messages + [ChatMessage(.user, text)] }

    /// Adds something that the person wants to be known and nobody answers.
    mutating func note(_ text: String) { messages.append(ChatMessage(.user, text)) }

    /// Closes an exchange: what the person said (nil for a greeting), and the part of the answer that was heard.
    mutating func commit(user: String?, heard: String) {
        if let user { messages.append(ChatMessage(.user, user)) }
        // An answer of which not a word was heard never was.
        if heard.contains(where: { !$0.isWhitespace }) { messages.append(ChatMessage(.assistant, heard)) }
    }
}
