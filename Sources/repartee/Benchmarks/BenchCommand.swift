internal import ArgumentParser

/// Benchmarks. Each prints a table, or with `--json` one object.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Benchmarks: asr, turn, endpointing, llm, tts, v2v, interruptions, turn-taking, transport.",
        subcommands: [
            RecognitionBenchmark.self, TurnBenchmark.self, EndpointingBenchmark.self, LanguageModelBenchmark.self,
            SynthesisBenchmark.self, VoiceToVoiceBenchmark.self, InterruptionBenchmark.self, TurnTakingBenchmark.self,
            TransportBenchmark.self,
        ]
    )
}
