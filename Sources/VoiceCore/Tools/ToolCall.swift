/// What a model asks to be done.
public struct ToolCall: Sendable, Equatable, Codable {
    /// Tells this call from all others of a conversation.
    public var id: String
    /// The tool's name, as the model wrote it: it need not exist.
    public var name: String
    /// The arguments, as the model wrote them: they need not be what the tool declares. See
    /// ``ToolDeclaration/problems(with:)``.
    public var arguments: JSONObject

    /// Makes a call.
    public init(id: String, name: String, arguments: JSONObject) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A call that cannot be read, for the model to try again.
public struct MalformedToolCall: Error, Sendable, Equatable, CustomStringConvertible {
    /// The tool's name, if it was that far.
    public var name: String?
    /// What the model wrote, with its markup; only the beginning if it is long.
    public var text: String
    /// What is wrong with it: a sentence that the model can correct it by.
    public var problem: String

    /// Makes an error.
    public init(name: String?, text: String, problem: String) {
        self.name = name
        self.text = text
        self.problem = problem
    }

    /// The problem.
    public var description: String { problem }
}
