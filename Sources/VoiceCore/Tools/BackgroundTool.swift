/// Something long that an agent has done while it goes on talking: a job.
///
/// The call returns at once, with the job's identifier. What the job reports and what comes of it enter the conversation
/// as ``BackgroundPolicy`` says. A job outlives the reply that started it and any interruption; it ends with the session.
public protocol BackgroundTool: Sendable {
    /// What the model is told about it.
    var declaration: ToolDeclaration { get }
    /// How a conversation treats it.
    var policy: BackgroundPolicy { get }

    /// Does it. Called by the session, once for each call; several jobs of one tool may run.
    ///
    /// A cancelled task means that the job was cancelled, took too long, or the session is over.
    /// - Parameters:
    ///   - arguments: of the declared form; that was checked.
    ///   - progress: takes news of how far it is. Never waits.
    /// - Returns: what came of it: JSON, or a sentence.
    /// - Throws: what went wrong, in words that the model can make something of.
    func run(_ arguments: JSONObject, progress: JobProgress) async throws -> String
}

/// What becomes of news of a job, from the quietest to the most pressing.
public enum JobDelivery: String, Sendable, CaseIterable, Comparable {
    /// The page shows it; the model learns it when it asks.
    case silent
    /// The model knows it when it answers next.
    case nextTurn = "next_turn"
    /// The agent speaks of it once neither side speaks.
    case whenIdle = "when_idle"
    /// The agent speaks of it now, and breaks off what it says. It never interrupts the person.
    case interrupt

    /// By how pressing they are.
    public static func < (first: JobDelivery, second: JobDelivery) -> Bool { first.rank < second.rank }

    private var rank: Int {
        switch self {
        case .silent: 0
        case .nextTurn: 1
        case .whenIdle: 2
        case .interrupt: 3
        }
    }
}

/// How a conversation treats a background tool.
public struct BackgroundPolicy: Sendable, Equatable {
    /// Whether a job changes anything in the world. One that does not may be started for an answer that is never heard.
    public var hasEffects: Bool
    /// A job that takes longer has failed.
    public var timeout: Duration
    /// What becomes of its progress, unless a report says otherwise.
    public var progress: JobDelivery
    /// What becomes of its end.
    public var result: JobDelivery

    /// Makes a policy.
    public init(
        hasEffects: Bool = true,
        timeout: Duration = .seconds(600),
        progress: JobDelivery = .silent,
        result: JobDelivery = .whenIdle
    ) {
        self.hasEffects = hasEffects
        self.timeout = timeout
        self.progress = progress
        self.result = result
    }
}

/// Takes what a job has to tell while it runs.
public struct JobProgress: Sendable {
    private let take: @Sendable (String, JobDelivery?) -> Void

    /// Makes one that hands news on; called by the session, and by tests.
    public init(_ take: @escaping @Sendable (String, JobDelivery?) -> Void) { self.take = take }

    /// Tells how far the job is: JSON, or a sentence. Of news that nobody took yet only the latest counts.
    /// - Parameter delivery: what becomes of it; nil for what the tool's policy says.
    public func report(_ text: String, delivery: JobDelivery? = nil) { take(text, delivery) }
}

/// How far a job is, for the model, a page or an app.
public struct JobReport: Sendable, Equatable {
    /// What it does.
    public enum Status: String, Sendable, CaseIterable {
        /// It goes on.
        case running
        /// It did what it was started for.
        case completed
        /// It did not.
        case failed
        /// It was stopped before its end.
        case cancelled
    }

    /// Tells this job from all others of the session.
    public var id: String
    /// The tool's name.
    public var tool: String
    /// What it does.
    public var status: Status
    /// Counts the job's reports from 0, its start.
    public var sequence: Int
    /// Its last news, or what came of it; empty at its start.
    public var text: String

    /// Makes a report.
    public init(id: String, tool: String, status: Status, sequence: Int, text: String) {
        self.id = id
        self.tool = tool
        self.status = status
        self.sequence = sequence
        self.text = text
    }
}

/// A tool that takes long, as a job: the call returns at once, and the tool's result is the job's.
public struct BackgroundCall: BackgroundTool {
    /// What the model is told about it.
    public let declaration: ToolDeclaration
    /// How a conversation treats it.
    public let policy: BackgroundPolicy
    private let body: @Sendable (JSONObject, JobProgress) async throws -> String

    /// Makes a background tool of a tool that reports nothing meanwhile.
    public init(_ tool: any Tool, policy: BackgroundPolicy = BackgroundPolicy()) {
        self.init(tool.declaration, policy: policy) { arguments, _ in try await tool.call(arguments) }
    }

    /// Makes a background tool of a closure.
    public init(
        _ declaration: ToolDeclaration,
        policy: BackgroundPolicy = BackgroundPolicy(),
        _ body: @escaping @Sendable (JSONObject, JobProgress) async throws -> String
    ) {
        self.declaration = declaration
        self.policy = policy
        self.body = body
    }

    /// See the protocol.
    public func run(_ arguments: JSONObject, progress: JobProgress) async throws -> String {
        try await body(arguments, progress)
    }
}
