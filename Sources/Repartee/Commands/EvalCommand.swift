internal import ArgumentParser

/// Tests of agents. `docs/eval.md` and `docs/eval-scripts.md` say how.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Tests of an agent: whether it says and does what is right, and in time.",
        subcommands: [EvalScenarioCommand.self, EvalScriptCommand.self]
    )
}
