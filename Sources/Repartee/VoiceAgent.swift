public import Conversation
internal import Synchronization
public import VoiceCore

/// An agent that is written in Swift, as a program of its own.
///
/// The program has all commands of `repartee`: `serve`, `converse`, `eval script` and the others, for this agent.
///
/// ```swift
/// await VoiceAgent.main(settings: "agent.yaml") { agent, parts in
///     agent.tools.append(ClosureTool(try ToolDeclaration(name: "time", description: "Tells the time.")) { _ in "noon" })
/// }
/// ```
public enum VoiceAgent {
    /// What an agent is made with.
    public struct Parts: Sendable {
        /// The language model of the settings, loaded; sub-agents may think with it, too.
        public let languageModel: any LanguageModel
        /// The time that conversations live in.
        public let clock: any SessionClock
    }

    /// Adds to an agent what settings cannot say. Called once for a process, after its engines were loaded; what it adds is shared
    /// by all conversations.
    public typealias Change = @Sendable (inout ConversationConfiguration, Parts) async throws -> Void

    /// What ``main(settings:_:)`` was given; for the whole process.
    private static let given = Mutex<(settings: String?, change: Change?)>((nil, nil))

    static var change: Change? { given.withLock { $0.change } }
    /// The settings file where the command line names none.
    static var settingsFile: String? { given.withLock { $0.settings } }

    /// Does what the command line says. Never returns after a failure: it ends the process with a sentence and an exit status.
    ///
    /// - Parameters:
    ///   - settings: the path of the settings file where `--config` names none; nil for the defaults.
    ///   - change: makes the agent of them.
    public static func main(settings: String? = nil, _ change: Change? = nil) async {
        given.withLock { $0 = (settings, change) }
        await RootCommand.main()
    }
}
