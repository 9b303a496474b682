internal import ArgumentParser

/// Tests of agents.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Tests of an agent: what is said to it, and what is expected of it.",
        subcommands: [EvalScriptCommand.self]
    )
}
