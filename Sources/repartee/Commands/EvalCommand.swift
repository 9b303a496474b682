internal import ArgumentParser

/// Evaluations: whether an agent says and does what is right. `docs/eval.md` says how.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Whether the agent says and does what is right.",
        subcommands: [EvalScenarioCommand.self]
    )
}
