internal import ArgumentParser

/// Benchmarks. Each prints a table, or with `--json` one object.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Benchmarks of the engines, of conversations and of transports.",
        subcommands: [
            RecognitionBenchmark.self, TurnBenchmark.self, EndpointingBenchmark.self, LanguageModelBenchmark.self,
            SynthesisBenchmark.self, CodecBenchmark.self, DeviceBenchmark.self, VoiceToVoiceBenchmark.self,
            InterruptionBenchmark.self, TurnTakingBenchmark.self, TransportBenchmark.self, FailoverBenchmark.self,
            SessionsBenchmark.self,
        ]
    )
}
