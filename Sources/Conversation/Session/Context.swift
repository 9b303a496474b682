internal import VoiceCore

/// What the language model knows of the conversation: what was said and what was heard, nothing else.
struct Context: Sendable {
    /// The conversation, oldest first, the system message at its head.
    private(set) var messages: [ChatMessage]
    private let record: (@Sendable ([ChatMessage]) -> Void)?

    init(systemPrompt: String, past: ConversationPast = ConversationPast()) {
        messages = past.settled
        record = past.record
        messages.instruct(systemPrompt)
    }

    /// Puts other instructions in the place of those so far.
    mutating func instruct(_ systemPrompt: String) { messages.instruct(systemPrompt) }

    /// The conversation with a user message at its end, as a reply wants it.
    func asked(_ text: String) -> [ChatMessage] { messages + [ChatMessage(.user, text)] }

    /// Adds something that the person wants to be known and nobody answers.
    mutating func note(_ text: String) {
        messages.append(ChatMessage(.user, text))
        record?([ChatMessage(.user, text)])
    }

    /// Closes an exchange: what the person said (nil for a greeting), the calls that the answer made, and the part of it that
    /// was heard.
    mutating func commit(user: String?, rounds: [ToolRound] = [], heard: String) {
        let known = messages.count
        defer { if messages.count > known { record?(Array(messages[known...])) } }
        if let user { messages.append(ChatMessage(.user, user)) }
        var rest = Substring(heard)
        var start = 0
        for round in rounds {
            let end = rest.utf8.index(
                rest.startIndex,
                offsetBy: max(0, round.textEnd - start),
                limitedBy: rest.endIndex
            )
            let before = rest[..<(end ?? rest.endIndex)]
            start += before.utf8.count
            rest = rest[before.endIndex...]
            messages.append(ChatMessage(.assistant, before.trimmed, toolCalls: round.calls))
            messages += round.calls.map { ChatMessage.result(of: $0, round.result(of: $0)) }
        }
        // An answer of which not a word was heard never was.
        guard rest.contains(where: { !$0.isWhitespace }) else { return }
        messages.append(ChatMessage(.assistant, rounds.isEmpty ? heard : rest.trimmed))
    }

    /// Notes how a call ended that still ran when its answer was closed.
    mutating func settle(_ call: ToolCall, _ outcome: ToolOutcome) {
        guard let index = messages.lastIndex(where: { $0.role == .tool && $0.toolCallID == call.id }) else { return }
        messages[index].content = outcome.text
        record?([messages[index]])
    }
}

extension [ChatMessage] {
    /// Puts instructions at the head of a conversation, in the place of those that are there; empty for none.
    mutating func instruct(_ systemPrompt: String) {
        if first?.role == .system { removeFirst() }
        if !systemPrompt.isEmpty { insert(ChatMessage(.system, systemPrompt), at: 0) }
    }
}
