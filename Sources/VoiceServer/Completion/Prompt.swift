internal import VoiceCore

/// What a model reads: a conversation and what it may call. Tells chats apart by what they have read.
struct Prompt: Sendable {
    var messages: [ChatMessage] = []
    var tools: [ToolDeclaration] = []

    /// Its size, in bytes of text.
    var size: Int { messages.reduce(0) { $0 + Self.size($1) } }

    /// The size of the beginning that it has in common with another. Tools stand at the beginning in all templates.
    func shared(with other: Prompt) -> Int {
        guard tools == other.tools else { return 0 }
        var shared = 0
        for (mine, theirs) in zip(messages, other.messages) {
            guard Self.isSame(mine, theirs) else {
                if mine.role == theirs.role { shared += Self.common(mine.content, theirs.content) }
                break
            }
            shared += Self.size(mine)
        }
        return shared
    }

    /// What a message has around its text, about.
    private static let markup = 16

    private static func size(_ message: ChatMessage) -> Int {
        message.toolCalls.reduce(message.content.utf8.count + markup) {
            $0 + $1.name.utf8.count + JSONValue.object($1.arguments).json.utf8.count
        }
    }

    /// Identifiers of calls are never read, and thoughts only sometimes.
    private static func isSame(_ one: ChatMessage, _ other: ChatMessage) -> Bool {
        one.role == other.role && one.content == other.content
            && one.toolCalls.map(\.name) == other.toolCalls.map(\.name)
            && one.toolCalls.map(\.arguments) == other.toolCalls.map(\.arguments)
    }

    private static func common(_ one: String, _ other: String) -> Int {
        zip(one.utf8, other.utf8).prefix { $0 == $1 }.count
    }
}
