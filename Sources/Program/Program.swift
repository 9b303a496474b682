internal import Repartee

/// The program `repartee`: the agent of the settings file, and all commands.
@main
enum Program {
    static func main() async { await VoiceAgent.main() }
}
