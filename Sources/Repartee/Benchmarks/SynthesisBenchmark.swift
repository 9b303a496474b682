internal import ArgumentParser
internal import SpeechSynthesis
internal import VoiceCore

/// Speech synthesis: voices as conversations use them, or a neural voice's engine by stage.
struct SynthesisBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tts",
        abstract:
            "Voices: time to the first audio and share of real time, what recognisers understand, or Magpie by stage.",
        discussion: """
            With --voice, whole voices say sentences of twelve words. With --round-trip as well, they say 40 sentences, half of them with
            numbers, dates and times, and recognisers write down what they hear. With --model, the engine of Magpie TTS alone: time to
            the first frame of codes and per frame, by stage.
            """
    )

    private struct Options: Encodable {
        var model: String
        var tokens: Int
        var frames: Int
    }

    private struct Row: Encodable {
        var threads: Int
        var streams: Int
        /// Encoding the text, and what comes before the first frame; one stream.
        var text_ms: LatencyFigures
        var voice_ms: LatencyFigures
        /// One frame of all streams: the decoder; then local transformer, drawing and scores.
        var decoder_ms: LatencyFigures
        var local_ms: LatencyFigures
        /// From when all streams want a frame until all have it.
        var frame_ms: LatencyFigures
        /// Median frame, as a share of the sound that it becomes.
        var rtf: Double
        var rss_mb: Double?
    }

    @OptionGroup var global: GlobalOptions

    @Option(name: .customLong("voice"), help: "A voice, see `repartee say --list-voices`; may be given several times.")
    var voices: [String] = []

    @Option(
        name: .customLong("config"),
        help: "With --voice: a YAML file with settings, of which those of the voice are followed."
    )
    var settingsFile: String?

    @Flag(help: "With --voice: what recognisers understand of it.")
    var roundTrip = false

    @Option(
        name: .customLong("recogniser"),
        help: "With --round-trip: a recogniser; may be given several times. Without it all that are at hand."
    )
    var recognisers: [String] = []

    @Flag(help: "With --round-trip: print every sentence and what was understood.")
    var each = false

    @Option(help: "With --voice: how often each stream says the ten sentences.")
    var rounds = 3

    @Option(help: "A GGUF file of Magpie TTS; Reference/SpeechSynthesis makes one of random weights.")
    var model: String?

    @Option(help: "Processor threads, with commas.", transform: [Int].init(separatedByCommas:))
    var threads = [1, 2]

    @Option(help: "Streams that speak together, with commas.", transform: [Int].init(separatedByCommas:))
    var streams = [1, 2, 4]

    @Option(help: "Tokens of a text.")
    var tokens = 80

    @Option(help: "Frames to time for each row.")
    var frames = 200

    @Option(help: "Texts to begin for each row.")
    var texts = 5

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...400).contains(tokens), (1...100_000).contains(frames), (1...1000).contains(texts) else {
            throw ValidationError("--tokens are from 1 to 400, --frames from 1 to 100000, --texts from 1 to 1000.")
        }
        guard (model != nil) != !voices.isEmpty, !roundTrip || model == nil, (1...1000).contains(rounds) else {
            throw ValidationError(
                "Give either --model or --voice; --round-trip goes with --voice; --rounds are from 1 to 1000."
            )
        }
        guard streams.allSatisfy((1...64).contains), threads.allSatisfy((1...256).contains) else {
            throw ValidationError("--streams are from 1 to 64, --threads from 1 to 256.")
        }
    }

    func run() async throws {
        if let model { return try await measureStages(of: model) }
        guard !roundTrip else {
            let benchmark = RoundTripBenchmark(
                store: global.store,
                voices: voices,
                recognisers: recognisers,
                printsEach: each,
                json: json
            )
            return try await benchmark.run()
        }
        var settings = Settings()
        if let settingsFile { settings = try SettingsFile.read(path: settingsFile) }
        let benchmark = VoiceBenchmark(
            store: global.store,
            settings: settings,
            voices: voices,
            threads: threads,
            streams: streams,
            rounds: rounds,
            json: json
        )
        try await benchmark.run()
    }

    private func measureStages(of model: String) async throws {
        var rows: [Row] = []
        if !json { StandardOutput.write(Self.heading) }
        for threads in threads {
            let configuration = MagpieModel.Configuration(
                streams: streams.max() ?? 1,
                threads: threads,
                textVocabulary: nil
            )
            let magpie = try await MagpieModel(path: model, configuration: configuration)
            for streams in streams {
                let row = try await measure(magpie, threads, streams)
                rows.append(row)
                if !json { StandardOutput.write(Self.lines(row)) }
            }
        }
        if json {
            let options = Options(model: model, tokens: tokens, frames: frames)
            try StandardOutput.write(json: BenchmarkReport(name: "tts", settings: options, results: rows))
        }
    }

    private func measure(_ magpie: MagpieModel, _ threads: Int, _ count: Int) async throws -> Row {
        let clock = SystemClock()
        let text = (0..<Int32(tokens)).map { $0 % Int32(magpie.textVocabulary - 2) }
        var (texts, voices): ([Double], [Double]) = ([], [])
        for _ in 0..<self.texts {
            _ = await magpie.takeTimes()
            _ = try await magpie.stream([text]).step()
            let times = await magpie.takeTimes()
            texts.append(times.text.milliseconds)
            voices.append(times.voice.milliseconds)
        }
        var speaking: [MagpieStream] = []
        var (decoders, locals, frames): ([Double], [Double], [Double]) = ([], [], [])
        for number in 0..<self.frames {
            if number % magpie.maximumFrames == 0 {
                speaking = []
                for _ in 0..<count {
                    let stream = try magpie.stream([text], urgency: Urgency(.refill(by: nil)))
                    _ = try await stream.step()
                    speaking.append(stream)
                }
            }
            _ = await magpie.takeTimes()
            let start = clock.now
            try await Self.step(speaking)
            frames.append((clock.now - start).milliseconds)
            let times = await magpie.takeTimes()
            decoders.append(times.decoder.milliseconds)
            locals.append(times.local.milliseconds)
        }
        let figures = LatencyFigures(frames)
        return Row(
            threads: threads,
            streams: count,
            text_ms: LatencyFigures(texts),
            voice_ms: LatencyFigures(voices),
            decoder_ms: LatencyFigures(decoders),
            local_ms: LatencyFigures(locals),
            frame_ms: figures,
            rtf: (figures.p50 / MagpieModel.frameDuration.milliseconds * 1000).rounded() / 1000,
            rss_mb: Machine.residentMegabytes
        )
    }

    private static func step(_ streams: [MagpieStream]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for stream in streams { group.addTask { _ = try await stream.step() } }
            try await group.waitForAll()
        }
    }

    private static let heading =
        "threads streams, ms".padded(to: 30) + LatencyFigures.heading + "       RTF    RSS MB\n"

    private static func lines(_ row: Row) -> String {
        let name = "\(row.threads) \(row.streams)"
        let memory = row.rss_mb.map { "\($0)" } ?? ""
        return (name + " frame").padded(to: 30) + row.frame_ms.columns + "     \(row.rtf)    \(memory)\n"
            + (name + " decoder").padded(to: 30) + row.decoder_ms.columns + "\n"
            + (name + " local transformer").padded(to: 30) + row.local_ms.columns + "\n"
            + (name + " text").padded(to: 30) + row.text_ms.columns + "\n"
            + (name + " voice").padded(to: 30) + row.voice_ms.columns + "\n"
    }
}
