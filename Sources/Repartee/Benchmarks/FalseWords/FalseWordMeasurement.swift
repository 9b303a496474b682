internal import VoiceCore

/// Words that a recogniser understands where nobody speaks, for each sound and each lookahead.
struct FalseWordMeasurement {
    private struct Options: Encodable {
        var seconds: Int
        var seed: UInt64
    }

    private struct Row: Encodable {
        var model: String
        /// Absent where the recogniser has none.
        var lookahead: Int?
        var sound: UnspokenSound.Kind
        /// Absent for silence.
        var level_db: Double?
        var words: Int
        var words_per_minute: Double
        /// What was understood.
        var text: String
    }

    let seconds: Int
    let seed: UInt64
    let lookaheads: [Int]
    let json: Bool

    /// Listens to every sound as to a stream.
    func run(_ recognition: RecordingRecognition) async throws {
        var rows: [Row] = []
        for lookahead in recognition.lookaheads(lookaheads) {
            for sound in UnspokenSound.all {
                let samples = sound.samples(seconds: seconds, seed: seed)
                let text = try await recognition.text(ofSound: samples, lookahead: lookahead)
                let words = text.split(whereSeparator: \.isWhitespace).count
                let row = Row(
                    model: recognition.recognizer.name,
                    lookahead: lookahead,
                    sound: sound.kind,
                    level_db: sound.level,
                    words: words,
                    words_per_minute: (Double(words) * 600 / Double(seconds)).rounded() / 10,
                    text: text
                )
                rows.append(row)
                if !json { StandardOutput.write(Self.line(row)) }
            }
        }
        if json {
            let options = Options(seconds: seconds, seed: seed)
            try StandardOutput.write(json: BenchmarkReport(name: "asr", settings: options, results: rows))
        }
    }

    private static func line(_ row: Row) -> String {
        let name = row.lookahead.map { "lookahead \($0)" } ?? row.model
        let level = row.level_db.map { "\(Int($0)) dB" } ?? ""
        let text = row.text.isEmpty ? "" : "  \(row.text.prefix(60))"
        return name.padded(to: 20) + "\(row.sound.rawValue) \(level)".padded(to: 20)
            + "\(row.words_per_minute) words a minute\(text)\n"
    }
}
