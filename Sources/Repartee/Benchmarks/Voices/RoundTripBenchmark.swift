internal import Audio
internal import VoiceCore

/// What recognisers understand of what voices say: word error rates over sentences with numbers and dates.
struct RoundTripBenchmark {
    private struct Options: Encodable {
        var sentences: Int
    }

    private struct Row: Encodable {
        var voice: String
        var model: String
        /// Absent where the recogniser has none.
        var lookahead: Int?
        var wer: Double
        var words: Int
        var substitutions: Int
        var deletions: Int
        var insertions: Int
    }

    let store: ModelStore
    let voices: [String]
    /// Names of recognisers; empty for all that are at hand.
    let recognisers: [String]
    /// Prints each sentence with what was understood.
    let printsEach: Bool
    let json: Bool

    /// Says every sentence with every voice, and has every recogniser listen.
    func run() async throws {
        var rows: [Row] = []
        for voice in voices {
            var settings = Settings()
            settings.voice.name = voice
            let room = EngineRoom(store: store, settings: settings)
            let synthesizer = try await room.localSynthesizer(streams: 1)
            var recordings: [[Float]] = []
            for text in SpokenSentences.roundTrip { recordings.append(try await Self.recording(of: text, synthesizer)) }
            for model in recognisers.isEmpty ? atHand : recognisers {
                let recognition = try await RecordingRecognition(model: model, threads: nil, room)
                for lookahead in recognition.lookaheads([13]) {
                    rows.append(try await row(synthesizer.name, recordings, recognition, lookahead))
                }
            }
        }
        guard json else { return }
        let options = Options(sentences: SpokenSentences.roundTrip.count)
        try StandardOutput.write(json: BenchmarkReport(name: "tts-round-trip", settings: options, results: rows))
    }

    private var atHand: [String] {
        [EngineRoom.pocketSphinx]
            + ModelCatalogue.all.filter { $0.role == .recogniser && store.state(of: $0) == .present }
            .map(\.name)
    }

    private func row(
        _ voice: String,
        _ recordings: [[Float]],
        _ recognition: RecordingRecognition,
        _ lookahead: Int?
    ) async throws -> Row {
        var errors = WordErrors()
        for (text, recording) in zip(SpokenSentences.roundTrip, recordings) {
            let heard = try await recognition.text(ofSound: recording, lookahead: lookahead)
            errors.add(reference: text, hypothesis: heard)
            if printsEach, !json { StandardOutput.write("\(text)\n    \(heard)\n") }
        }
        let row = Row(
            voice: voice,
            model: recognition.recognizer.name,
            lookahead: lookahead,
            wer: (errors.rate * 10_000).rounded() / 10_000,
            words: errors.words,
            substitutions: errors.substitutions,
            deletions: errors.deletions,
            insertions: errors.insertions
        )
        if !json {
            StandardOutput.write(
                "\(voice), \(row.model): WER \(row.wer) of \(row.words) words (\(row.substitutions) substituted, "
                    + "\(row.deletions) deleted, \(row.insertions) inserted)\n"
            )
        }
        return row
    }

    /// A text as recognisers get it: 16 kHz, a third of a second of silence before and after.
    private static func recording(of text: String, _ synthesizer: any SpeechSynthesizer) async throws -> [Float] {
        var samples: [Float] = []
        for try await chunk in synthesizer.speak(text) { samples += chunk.samples }
        let silence = [Float](repeating: 0, count: SampleRate.speech.samples(in: .milliseconds(333)))
        return silence + Resampler.convert(samples, from: synthesizer.sampleRate, to: .speech) + silence
    }
}
