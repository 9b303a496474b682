internal import TurnDetection
internal import ArgumentParser
internal import VoiceCore

/// Voice activity and end of turn: time per window, time per verdict.
struct TurnBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turn",
        abstract: "Silero VAD per 32 ms window, Smart Turn per verdict."
    )

    private struct Options: Encodable {
        var audio: String
        var windows: Int
        var verdicts: Int
    }

    private struct Row: Encodable {
        var model: String
        var threads: Int
        var ms: LatencyFigures
        /// Processor time of the whole process during each call.
        var cpu_ms: LatencyFigures
    }

    @OptionGroup var global: GlobalOptions

    @Option(help: "A WAV file with speech; without it, flite speaks.")
    var audio: String?

    @Option(help: "Verdicts to time.")
    var verdicts = 20

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let room = EngineRoom(store: global.store, settings: Settings())
        let samples = try await BenchmarkSpeech.samples(of: audio)
        let detector = try await room.voiceActivity()
        let activity = try await detector.openStream()
        let windows = stride(from: 0, to: samples.count - detector.windowLength + 1, by: detector.windowLength)
            .map { Array(samples[$0..<($0 + detector.windowLength)]) }
        let silero = try await measure(model: "silero", threads: 1, inputs: windows) { _ = try await activity.feed($0) }
        let smartTurn = try await room.turnDetector(threads: 1)
        let turns = (1...max(1, verdicts)).map { index in
            Array(samples.prefix(min(samples.count, 16_000 * (1 + index % 8))))
        }
        let verdict = try await measure(model: "smart-turn", threads: 1, inputs: turns) {
            _ = try await smartTurn.endProbability(ofTurn: $0)
        }
        let rows = [silero, verdict]
        if json {
            let options = Options(audio: audio ?? "flite", windows: windows.count, verdicts: turns.count)
            try StandardOutput.write(json: BenchmarkReport(name: "turn", settings: options, results: rows))
        } else {
            StandardOutput.write("ms".padded(to: 18) + LatencyFigures.heading + "\n")
            for row in rows {
                StandardOutput.write(row.model.padded(to: 18) + row.ms.columns + "\n")
                StandardOutput.write((row.model + ", CPU").padded(to: 18) + row.cpu_ms.columns + "\n")
            }
        }
    }

    private func measure(
        model: String,
        threads: Int,
        inputs: [[Float]],
        _ work: ([Float]) async throws -> Void
    ) async throws -> Row {
        let clock = SystemClock()
        for input in inputs.prefix(3) { try await work(input) }
        var wall: [Double] = []
        var processor: [Double] = []
        for input in inputs {
            let (start, used) = (clock.now, Machine.processorTime)
            try await work(input)
            wall.append((clock.now - start).milliseconds)
            processor.append((Machine.processorTime - used).milliseconds)
        }
        return Row(model: model, threads: threads, ms: LatencyFigures(wall), cpu_ms: LatencyFigures(processor))
    }
}
