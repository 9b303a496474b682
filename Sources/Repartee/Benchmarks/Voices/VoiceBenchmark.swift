internal import VoiceCore

/// Voices as conversations use them: time to the first audio, and how much faster than speech they are.
struct VoiceBenchmark {
    private struct Options: Encodable {
        var sentences: Int
        var rounds: Int
    }

    private struct Row: Encodable {
        var voice: String
        var threads: Int
        var streams: Int
        /// From the text to the first samples of sound, silence in front taken off.
        var ttfb_ms: LatencyFigures
        /// Time as a share of the speech that all streams together made.
        var rtf: Double
        var rss_mb: Double?
    }

    let store: ModelStore
    /// What else is set of the voices, such as files.
    let settings: Settings
    let voices: [String]
    let threads: [Int]
    let streams: [Int]
    /// How often each stream says all sentences.
    let rounds: Int
    let json: Bool

    /// Measures every voice with every number of threads and streams.
    func run() async throws {
        var rows: [Row] = []
        if !json {
            StandardOutput.write("voice threads streams, ms".padded(to: 30) + LatencyFigures.heading + "       RTF\n")
        }
        for voice in voices {
            for threads in threads {
                var settings = settings
                settings.voice.name = voice
                settings.voice.threads = threads
                let room = EngineRoom(store: store, settings: settings)
                let synthesizer = try await room.localSynthesizer(streams: streams.max() ?? 1)
                // Voices set themselves up with the first sentence.
                _ = try await Self.say(SpokenSentences.twelveWords[0], synthesizer)
                for streams in streams {
                    let row = try await measure(synthesizer, threads, streams)
                    rows.append(row)
                    guard !json else { continue }
                    let name = "\(row.voice) \(threads) \(streams)".padded(to: 30)
                    StandardOutput.write("\(name)\(row.ttfb_ms.columns)     \(row.rtf)\n")
                }
            }
        }
        guard json else { return }
        let options = Options(sentences: SpokenSentences.twelveWords.count, rounds: rounds)
        try StandardOutput.write(json: BenchmarkReport(name: "tts", settings: options, results: rows))
    }

    private func measure(_ synthesizer: any SpeechSynthesizer, _ threads: Int, _ streams: Int) async throws -> Row {
        let clock = SystemClock()
        let start = clock.now
        let said = try await withThrowingTaskGroup(of: [(Duration, Duration)].self) { group in
            for stream in 0..<streams {
                group.addTask {
                    var said: [(Duration, Duration)] = []
                    for index in 0..<(rounds * SpokenSentences.twelveWords.count) {
                        // Streams do not all say the same at the same time.
                        let text = SpokenSentences.twelveWords[(index + stream) % SpokenSentences.twelveWords.count]
                        said.append(try await Self.say(text, synthesizer))
                    }
                    return said
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let elapsed = clock.now - start
        let speech = said.reduce(Duration.zero) { $0 + $1.1 }
        return Row(
            voice: synthesizer.name,
            threads: threads,
            streams: streams,
            ttfb_ms: LatencyFigures(said.map(\.0.milliseconds)),
            rtf: (elapsed / speech * 1000).rounded() / 1000,
            rss_mb: Machine.residentMegabytes
        )
    }

    /// Says a text to nobody.
    /// - Returns: the time to the first sound, and the length of the speech.
    private static func say(
        _ text: String,
        _ synthesizer: any SpeechSynthesizer
    ) async throws -> (first: Duration, length: Duration) {
        let clock = SystemClock()
        let start = clock.now
        var first: Duration?
        var samples = 0
        for try await chunk in synthesizer.speak(text) {
            if first == nil, !chunk.samples.isEmpty { first = clock.now - start }
            samples += chunk.samples.count
        }
        guard let first else { throw VoiceError(.fault, "the voice '\(synthesizer.name)' said nothing") }
        return (first, synthesizer.sampleRate.duration(ofSamples: samples))
    }
}
