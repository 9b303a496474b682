internal import Audio
internal import Foundation
internal import SpeechRecognition
internal import VoiceCore

/// Word error rates of a recogniser over a folder of recordings, for each lookahead.
struct WordErrorMeasurement {
    private struct Options: Encodable {
        var folder: String
        var recordings: Int
    }

    private struct Row: Encodable {
        var model: String
        var lookahead: Int
        var set: String
        var wer: Double
        var words: Int
        var substitutions: Int
        var deletions: Int
        var insertions: Int
    }

    /// Holds pairs of NAME.wav and NAME.txt.
    let folder: String
    let lookaheads: [Int]
    let json: Bool

    /// Transcribes every recording as a stream and compares.
    /// - Throws: ``VoiceError/Code/missingInput`` when the folder cannot be read or holds no pair.
    func run(_ recognizer: NemotronRecognizer) async throws {
        let pairs = try pairs()
        var rows: [Row] = []
        for lookahead in lookaheads {
            var errors = WordErrors()
            for (audio, text) in pairs {
                let stream = try await recognizer.openStream(RecognitionOptions(lookahead: lookahead))
                for start in stride(from: 0, to: audio.count, by: 64_000) {
                    _ = try await stream.feed(Array(audio[start..<min(audio.count, start + 64_000)]))
                }
                errors.add(reference: text, hypothesis: try await stream.finish().text)
            }
            rows.append(
                Row(
                    model: recognizer.name,
                    lookahead: lookahead,
                    set: URL(fileURLWithPath: folder).lastPathComponent,
                    wer: (errors.rate * 10_000).rounded() / 10_000,
                    words: errors.words,
                    substitutions: errors.substitutions,
                    deletions: errors.deletions,
                    insertions: errors.insertions
                )
            )
        }
        if json {
            let options = Options(folder: folder, recordings: pairs.count)
            try StandardOutput.write(json: BenchmarkReport(name: "asr", settings: options, results: rows))
        } else {
            for row in rows {
                StandardOutput.write(
                    "lookahead \(row.lookahead): WER \(row.wer) of \(row.words) words (\(row.substitutions) substituted, "
                        + "\(row.deletions) deleted, \(row.insertions) inserted)\n"
                )
            }
        }
    }

    private func pairs() throws(VoiceError) -> [(audio: [Float], text: String)] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw VoiceError(.missingInput, "the folder \(folder) cannot be read")
        }
        var pairs: [(audio: [Float], text: String)] = []
        for name in names.sorted() where name.lowercased().hasSuffix(".wav") {
            let path = folder + "/" + name
            guard let text = try? String(contentsOfFile: String(path.dropLast(4)) + ".txt", encoding: .utf8) else {
                throw VoiceError(
                    .missingInput,
                    "\(path) has no text beside it: write what is said into \(name.dropLast(4)).txt"
                )
            }
            let wav = try WAVFile.read(path: path)
            pairs.append((Resampler.convert(wav.mono, from: wav.rate, to: .speech), text))
        }
        guard !pairs.isEmpty else { throw VoiceError(.missingInput, "the folder \(folder) has no WAV files") }
        return pairs
    }
}

/// Counts of word errors: the fewest substitutions, deletions and insertions that turn what was said into what was
/// understood. Words are compared without case and without punctuation at their ends.
struct WordErrors {
    private(set) var words = 0
    private(set) var substitutions = 0
    private(set) var deletions = 0
    private(set) var insertions = 0

    /// Errors per word that was said; 0 for nothing said.
    var rate: Double { words == 0 ? 0 : Double(substitutions + deletions + insertions) / Double(words) }

    /// Adds one recording.
    mutating func add(reference: String, hypothesis: String) {
        let (said, heard) = (Self.words(reference), Self.words(hypothesis))
        words += said.count
        /// The best way to each place in what was heard: errors in all, then of each kind.
        var row = (0...heard.count).map { Path(cost: $0, substitutions: 0, deletions: 0, insertions: $0) }
        for (index, word) in said.enumerated() {
            var diagonal = row[0]
            row[0] = Path(cost: index + 1, substitutions: 0, deletions: index + 1, insertions: 0)
            for place in heard.indices {
                let replaced = diagonal.adding(substitution: heard[place] == word ? 0 : 1)
                let deleted = row[place + 1].adding(deletion: 1)
                let inserted = row[place].adding(insertion: 1)
                diagonal = row[place + 1]
                row[place + 1] = [deleted, inserted].reduce(replaced) { $1.cost < $0.cost ? $1 : $0 }
            }
        }
        let best = row[heard.count]
        substitutions += best.substitutions
        deletions += best.deletions
        insertions += best.insertions
    }

    private struct Path {
        var cost: Int
        var substitutions: Int
        var deletions: Int
        var insertions: Int

        func adding(substitution: Int = 0, deletion: Int = 0, insertion: Int = 0) -> Path {
            Path(
                cost: cost + substitution + deletion + insertion,
                substitutions: substitutions + substitution,
                deletions: deletions + deletion,
                insertions: insertions + insertion
            )
        }
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split(whereSeparator: \.isWhitespace).compactMap { word in
            let core = word.drop { !$0.isLetter && !$0.isNumber }
            let end = core.lastIndex { $0.isLetter || $0.isNumber }
            return end.map { String(core[...$0]).replacing("’", with: "'") }
        }
    }
}
