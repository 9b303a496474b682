internal import ArgumentParser
internal import SpeechSynthesis
internal import VoiceCore

/// The codec's decoder: time per step, alone and with several voices, and what it takes of a processor.
struct CodecBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec",
        abstract: "The decoder of a NanoCodec file: time per step of some frames, with random codes."
    )

    private struct Options: Encodable {
        var model: String
        var steps: Int
        var plain: Bool
    }

    private struct Row: Encodable {
        var threads: Int
        /// Frames of a step, and voices that ask for one at the same time.
        var frames: Int
        var sessions: Int
        /// From when all voices have their codes until all have their sound.
        var step_ms: LatencyFigures
        /// Median step, by frame and voice, and as a share of the sound that it makes.
        var frame_ms: Double
        var rtf: Double
        /// Processor time by frame and voice, all threads, waiting for each other included.
        var cpu_ms: Double
        var rss_mb: Double?
    }

    @Option(help: "A GGUF file in NVIDIA's layout.")
    var model: String

    @Option(help: "Processor threads, with commas.", transform: [Int].init(separatedByCommas:))
    var threads = [1, 2]

    @Option(help: "Frames of a step, with commas.", transform: [Int].init(separatedByCommas:))
    var frames = [1, 2, 4]

    @Option(help: "Voices that ask at the same time, with commas.", transform: [Int].init(separatedByCommas:))
    var sessions = [1, 2]

    @Option(help: "Steps to time for each row.")
    var steps = 40

    @Flag(help: "Compute with ggml's operations in F32 instead of our own loops.")
    var plain = false

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...100_000).contains(steps) else { throw ValidationError("--steps is from 1 to 100000, not \(steps).") }
        guard sessions.allSatisfy((1...64).contains), threads.allSatisfy((1...256).contains),
            frames.allSatisfy((1...1000).contains)
        else { throw ValidationError("--sessions are from 1 to 64, --threads to 256, --frames to 1000.") }
    }

    func run() async throws {
        var rows: [Row] = []
        for threads in threads {
            let configuration = NanoCodec.Configuration(
                streams: sessions.max() ?? 1,
                threads: threads,
                isPlain: plain
            )
            let codec = try await NanoCodec(path: model, configuration: configuration)
            if !json, rows.isEmpty { StandardOutput.write(Self.heading) }
            for frames in frames {
                for sessions in sessions {
                    let row = try await measure(codec, threads, frames, sessions)
                    rows.append(row)
                    if !json { StandardOutput.write(Self.line(row)) }
                }
            }
        }
        if json {
            let options = Options(model: model, steps: steps, plain: plain)
            try StandardOutput.write(json: BenchmarkReport(name: "codec", settings: options, results: rows))
        }
    }

    private func measure(_ codec: NanoCodec, _ threads: Int, _ frames: Int, _ sessions: Int) async throws -> Row {
        let clock = SystemClock()
        var generator = SplitMix64(seed: 1)
        var streams: [NanoCodecStream] = []
        for _ in 0..<sessions { streams.append(try await codec.openStream()) }
        var times: [Double] = []
        var processor = Machine.processorTime
        for step in 0..<(steps + 2) {
            let codes = (0..<frames).map { _ in
                (0..<codec.codebooks).map { _ in Int32(generator.next() % UInt64(codec.codebookSize)) }
            }
            // The first steps warm up.
            if step == 2 { processor = Machine.processorTime }
            let start = clock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for stream in streams { group.addTask { _ = try await stream.decode(codes) } }
                try await group.waitForAll()
            }
            if step >= 2 { times.append((clock.now - start).milliseconds) }
        }
        let used = (Machine.processorTime - processor).milliseconds
        let (figures, count) = (LatencyFigures(times), Double(frames * sessions))
        let frame = Double(codec.samplesPerFrame) / Double(codec.sampleRate) * 1000
        func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
        return Row(
            threads: threads,
            frames: frames,
            sessions: sessions,
            step_ms: figures,
            frame_ms: rounded(figures.p50 / count),
            rtf: rounded(figures.p50 / count / frame),
            cpu_ms: rounded(used / Double(steps) / count),
            rss_mb: Machine.residentMegabytes
        )
    }

    private static let heading =
        "threads frames sessions, ms".padded(to: 30) + LatencyFigures.heading
        + "     per frame    RTF    processor    RSS MB\n"

    private static func line(_ row: Row) -> String {
        let memory = row.rss_mb.map { "\($0)" } ?? ""
        return "\(row.threads) \(row.frames) \(row.sessions)".padded(to: 30) + row.step_ms.columns
            + "     \(row.frame_ms)    \(row.rtf)    \(row.cpu_ms)    \(memory)\n"
    }
}
