/// One message of a conversation.
public struct ChatMessage: Sendable, Equatable {
    /// Who speaks.
    public enum Role: String, Sendable, Codable {
        /// The instructions at the start.
        case system
        /// The person.
        case user
        /// The agent.
        case assistant
        /// A tool, with the result of a call.
        case tool
    }

    /// Who speaks.
    public var role: Role
    /// What is said. Plain text; never interpreted as control tokens.
    public var content: String
    /// What an assistant asks to be done after it has said `content`.
    public var toolCalls: [ToolCall]
    /// The call that a tool's message is the result of.
    public var toolCallID: String?
    /// What an assistant thought before it spoke; nil where nobody kept it. Never spoken. Templates show it to the model only
    /// until the person speaks again.
    public var reasoning: String?

    /// Makes a message; calls and thoughts are an assistant's.
    public init(_ role: Role, _ content: String, toolCalls: [ToolCall] = [], reasoning: String? = nil) {
        self.role = role
        self.content = content
        self.toolCalls = toolCalls
        self.reasoning = reasoning
    }

    /// The result of a call.
    public static func result(of call: ToolCall, _ content: String) -> ChatMessage {
        var message = ChatMessage(.tool, content)
        message.toolCallID = call.id
        return message
    }

    /// Whether it can be the beginning of a message that a model goes on with: ``ChatOptions/continuesLastMessage``.
    public var canBeContinued: Bool {
        role == .assistant && toolCalls.isEmpty && content.contains { !$0.isWhitespace }
    }
}

extension ChatMessage: Codable {
    private enum CodingKeys: String, CodingKey {
        case role, content, reasoning
        case toolCalls = "tool_calls"
        case toolCallID = "tool_call_id"
    }

    /// Reads a message; what only some messages have may be missing.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try fields.decode(Role.self, forKey: .role),
            try fields.decode(String.self, forKey: .content),
            toolCalls: try fields.decodeIfPresent([ToolCall].self, forKey: .toolCalls) ?? [],
            reasoning: try fields.decodeIfPresent(String.self, forKey: .reasoning)
        )
        toolCallID = try fields.decodeIfPresent(String.self, forKey: .toolCallID)
    }

    /// Writes a message without what it does not have.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(role, forKey: .role)
        try fields.encode(content, forKey: .content)
        if !toolCalls.isEmpty { try fields.encode(toolCalls, forKey: .toolCalls) }
        try fields.encodeIfPresent(toolCallID, forKey: .toolCallID)
        try fields.encodeIfPresent(reasoning, forKey: .reasoning)
    }
}
