/// Something that an agent can do besides speaking.
public protocol Tool: Sendable {
    /// What the model is told about it.
    var declaration: ToolDeclaration { get }
    /// How a conversation treats it.
    var policy: ToolPolicy { get }

    /// Does it. Called by the session, several calls at a time if the model wants that, each call once.
    ///
    /// A cancelled task means that nobody waits any more: what can be stopped is to be stopped.
    /// - Parameter arguments: of the declared form; that was checked.
    /// - Returns: what the model is told: JSON, or a sentence.
    /// - Throws: what went wrong, in words that the model can make something of.
    func call(_ arguments: JSONObject) async throws -> String
}

/// How a conversation treats a tool.
public struct ToolPolicy: Sendable, Equatable {
    /// What an interruption does to a call that runs.
    public enum Interruption: String, Sendable, CaseIterable {
        /// It is cancelled, and the model learns that.
        case cancel
        /// It goes on; its result enters the conversation when it is there.
        case keep
    }

    /// Whether a call changes anything in the world. One that does not may be made for an answer that is never heard.
    public var hasEffects: Bool
    /// A call that takes longer has failed.
    public var timeout: Duration
    /// What an interruption does.
    public var interruption: Interruption
    /// What the agent says when a call takes longer than `fillerDelay`; nil for nothing.
    public var filler: String?
    /// How long a call may take in silence.
    public var fillerDelay: Duration

    /// Makes a policy.
    public init(
        hasEffects: Bool = true,
        timeout: Duration = .seconds(10),
        interruption: Interruption = .cancel,
        filler: String? = nil,
        fillerDelay: Duration = .milliseconds(800)
    ) {
        self.hasEffects = hasEffects
        self.timeout = timeout
        self.interruption = interruption
        self.filler = filler
        self.fillerDelay = fillerDelay
    }
}

/// How a call ended.
public struct ToolOutcome: Sendable, Equatable {
    /// What the model is told.
    public var text: String
    /// Whether it did what it was called for.
    public var succeeded: Bool

    /// Makes an outcome.
    public init(_ text: String, succeeded: Bool = true) {
        self.text = text
        self.succeeded = succeeded
    }
}

/// A tool that is a closure.
public struct ClosureTool: Tool {
    /// What the model is told about it.
    public let declaration: ToolDeclaration
    /// How a conversation treats it.
    public let policy: ToolPolicy
    private let body: @Sendable (JSONObject) async throws -> String

    /// Makes a tool.
    public init(
        _ declaration: ToolDeclaration,
        policy: ToolPolicy = ToolPolicy(),
        _ body: @escaping @Sendable (JSONObject) async throws -> String
    ) {
        self.declaration = declaration
        self.policy = policy
        self.body = body
    }

    /// See the protocol.
    public func call(_ arguments: JSONObject) async throws -> String { try await body(arguments) }
}
