public import VoiceCore

/// What a conversation goes on from, and where what is said in it is written down, so that it can go on elsewhere.
public struct ConversationPast: Sendable {
    /// What was said before, oldest first, without instructions; empty for a conversation that begins.
    public var messages: [ChatMessage]
    /// Takes what has become part of the conversation: whole messages, in order, and of an answer only what was heard. The result
    /// of a call that was still running then comes again, with the same ``ChatMessage/toolCallID``. Called by the session's task,
    /// so it must return at once.
    public var record: (@Sendable ([ChatMessage]) -> Void)?

    /// Makes the past of a conversation that begins, which nobody writes down.
    public init(messages: [ChatMessage] = [], record: (@Sendable ([ChatMessage]) -> Void)? = nil) {
        self.messages = messages
        self.record = record
    }

    /// ``messages`` as they were recorded, with only the last result of each call.
    var settled: [ChatMessage] {
        var settled: [ChatMessage] = []
        for message in messages where message.role != .system {
            let earlier = message.toolCallID.flatMap { id in settled.lastIndex { $0.toolCallID == id } }
            if let earlier { settled[earlier] = message } else { settled.append(message) }
        }
        return settled
    }
}
