internal import ArgumentParser
internal import Foundation
internal import VoiceCore

/// `repartee`: one binary, one command for each thing to do. The contract is in `docs/cli.md`.
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repartee",
        abstract: "Voice agents that answer before the pause gets awkward.",
        discussion: "Start with 'repartee serve' and open the page it names. 'repartee doctor' says what is missing.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, ServeASRCommand.self, ServeTTSCommand.self, ServeLLMCommand.self, EdgeCommand.self,
            ConverseCommand.self, TranscribeCommand.self, SayCommand.self, ChatCommand.self, ModelsCommand.self,
            BenchCommand.self, EvalCommand.self, DoctorCommand.self,
        ]
    )

    /// Runs the command and turns a failure into one sentence and an exit status of `sysexits.h`.
    static func main() async {
        // A peer that closes its end must not end the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as VoiceError {
            StandardError.print("error: \(error)")
            exit(withError: ExitCode(error.code.exitStatus))
        } catch {
            exit(withError: error)
        }
    }
}
