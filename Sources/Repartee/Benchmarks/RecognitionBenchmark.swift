internal import ArgumentParser
internal import SpeechRecognition
internal import VoiceCore

/// Streaming recognition: time per step, of final transcripts, of features; memory; with `--wer` word error rates, with
/// `--false-words` words where nobody speaks.
struct RecognitionBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "asr",
        abstract:
            "A recogniser: time per step and final transcript; with --wer its word error rate; with --false-words "
            + "what it understands where nobody speaks."
    )

    private struct Options: Encodable {
        var audio: String
        var steps: Int
        var finals: Int
    }

    private struct Row: Encodable {
        var model: String
        var lookahead: Int
        var threads: Int
        var sessions: Int
        /// From when all sessions have a chunk until all have their result.
        var step_ms: LatencyFigures
        /// Median step, as a share of the audio that it covers.
        var rtf: Double
        /// From the end of the audio, somewhere inside a chunk, to the final transcript; one session.
        var final_ms: LatencyFigures
        /// Features of one chunk.
        var mel_ms: LatencyFigures
        var rss_mb: Double?
    }

    @OptionGroup var global: GlobalOptions

    @Option(
        help: """
            A name in the catalogue, a GGUF file in NVIDIA's layout, or pocketsphinx (for --wer and --false-words); without it \
            the one that an agent would use.
            """
    )
    var model: String?

    @Option(help: "Lookaheads in frames of 80 ms, with commas.", transform: [Int].init(separatedByCommas:))
    var lookahead = [0, 1, 6, 13]

    @Option(
        help: "Processor threads, with commas; --wer and --false-words use the first.",
        transform: [Int].init(separatedByCommas:)
    )
    var threads = [1, 2]

    @Option(help: "Sessions that step together, with commas.", transform: [Int].init(separatedByCommas:))
    var sessions = [1, 2, 4, 8]

    @Option(help: "Steps to time for each row.")
    var steps = 20

    @Option(help: "Final transcripts to time for each row.")
    var finals = 10

    @Option(help: "A WAV file with speech; without it, flite speaks.")
    var audio: String?

    @Option(help: "A folder with pairs of NAME.wav and NAME.txt: word error rates instead of times.")
    var wer: String?

    @Flag(help: "Recognised words per minute of silence, noises, hum, music and clicks instead of times.")
    var falseWords = false

    @Option(help: "Length of each sound of --false-words, in seconds.")
    var seconds = 60

    @Option(help: "What the sounds of --false-words are made from; the same seed makes the same.")
    var seed: UInt64 = 1

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func validate() throws {
        guard (1...100_000).contains(steps), (1...100_000).contains(finals) else {
            throw ValidationError("--steps and --finals are from 1 to 100000.")
        }
        guard sessions.allSatisfy((1...1024).contains), threads.allSatisfy((1...256).contains) else {
            throw ValidationError("--sessions are from 1 to 1024, --threads from 1 to 256.")
        }
        guard (1...3600).contains(seconds) else {
            throw ValidationError("--seconds is from 1 to 3600, not \(seconds).")
        }
        guard wer == nil || !falseWords else { throw ValidationError("Give --wer or --false-words, not both.") }
    }

    func run() async throws {
        let room = EngineRoom(store: global.store, settings: Settings())
        if wer != nil || falseWords {
            let recognition = try await RecordingRecognition(model: model, threads: threads.first, room)
            if let wer {
                try await WordErrorMeasurement(folder: wer, lookaheads: lookahead, json: json).run(recognition)
            } else {
                try await FalseWordMeasurement(seconds: seconds, seed: seed, lookaheads: lookahead, json: json)
                    .run(recognition)
            }
            return
        }
        let speech = try await BenchmarkSpeech.samples(of: audio)
        var rows: [Row] = []
        for threads in threads {
            let most = sessions.max() ?? 1
            let recognizer = try await room.recognizer(model: model, streams: most, threads: threads, environment: [:])
            guard let recognizer = recognizer as? NemotronRecognizer else {
                throw VoiceError(.usage, "\(recognizer.name) has no steps to time: add --wer DIR or --false-words")
            }
            if !json, rows.isEmpty { StandardOutput.write(Self.heading) }
            for lookahead in lookahead {
                for sessions in sessions {
                    let row = try await measure(recognizer, speech, threads, lookahead, sessions)
                    rows.append(row)
                    if !json { StandardOutput.write(Self.line(row)) }
                }
            }
        }
        if json {
            let options = Options(audio: audio ?? "flite", steps: steps, finals: finals)
            try StandardOutput.write(json: BenchmarkReport(name: "asr", settings: options, results: rows))
        }
    }

    private func measure(
        _ recognizer: NemotronRecognizer,
        _ speech: [Float],
        _ threads: Int,
        _ lookahead: Int,
        _ sessions: Int
    ) async throws -> Row {
        let clock = SystemClock()
        let chunk = 1280 * (lookahead + 1)
        var source = LoopedAudio(speech)
        let options = RecognitionOptions(lookahead: lookahead)
        var streams: [any RecognizerStream] = []
        for _ in 0..<sessions { streams.append(try await recognizer.openStream(options)) }
        // The first chunk is complete a little later than others, by half a window.
        var packet = source.next(chunk + 400)
        var times: [Double] = []
        for step in 0..<(steps + 2) {
            let start = clock.now
            try await Self.feed(packet, to: streams)
            if step >= 2 { times.append((clock.now - start).milliseconds) }
            packet = source.next(chunk)
        }
        var finalTimes: [Double] = []
        for index in 0..<finals {
            _ = try await streams[0].feed(source.next(2 * chunk + chunk * index / finals))
            let start = clock.now
            _ = try await streams[0].finish()
            finalTimes.append((clock.now - start).milliseconds)
        }
        let featureTimes = (0..<steps).map { _ in
            let start = clock.now
            _ = recognizer.features(of: packet)
            return (clock.now - start).milliseconds
        }
        let figures = LatencyFigures(times)
        return Row(
            model: recognizer.name,
            lookahead: lookahead,
            threads: threads,
            sessions: sessions,
            step_ms: figures,
            rtf: (figures.p50 / Double(80 * (lookahead + 1)) * 1000).rounded() / 1000,
            final_ms: LatencyFigures(finalTimes),
            mel_ms: LatencyFigures(featureTimes),
            rss_mb: Machine.residentMegabytes
        )
    }

    private static func feed(_ packet: [Float], to streams: [any RecognizerStream]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for stream in streams { group.addTask { _ = try await stream.feed(packet) } }
            try await group.waitForAll()
        }
    }

    private static let heading =
        "threads lookahead sessions, ms".padded(to: 30) + LatencyFigures.heading + "       RTF    RSS MB\n"

    private static func line(_ row: Row) -> String {
        let name = "\(row.threads) \(row.lookahead) \(row.sessions)"
        let memory = row.rss_mb.map { "\($0)" } ?? ""
        return (name + " step").padded(to: 30) + row.step_ms.columns + "     \(row.rtf)    \(memory)\n"
            + (name + " final").padded(to: 30) + row.final_ms.columns + "\n"
            + (name + " features").padded(to: 30) + row.mel_ms.columns + "\n"
    }
}

/// A recording that begins again at its end.
private struct LoopedAudio {
    private let samples: [Float]
    private var position = 0

    init(_ samples: [Float]) { self.samples = samples.isEmpty ? [0] : samples }

    mutating func next(_ count: Int) -> [Float] {
        defer { position = (position + count) % samples.count }
        return (0..<count).map { samples[(position + $0) % samples.count] }
    }
}
