internal import Audio
internal import Foundation
internal import VoiceCore

/// Word error rates of a recogniser over a folder of recordings, for each lookahead.
struct WordErrorMeasurement {
    private struct Options: Encodable {
        var folder: String
        var recordings: Int
    }

    private struct Row: Encodable {
        var model: String
        /// Absent where the recogniser has none.
        var lookahead: Int?
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
    func run(_ recognition: RecordingRecognition) async throws {
        let pairs = try pairs()
        var rows: [Row] = []
        for lookahead in recognition.lookaheads(lookaheads) {
            var errors = WordErrors()
            for (audio, text) in pairs {
                errors.add(
                    reference: text,
                    hypothesis: try await recognition.text(ofSpeech: audio, lookahead: lookahead)
                )
            }
            rows.append(
                Row(
                    model: recognition.recognizer.name,
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
                let name = row.lookahead.map { "lookahead \($0)" } ?? row.model
                StandardOutput.write(
                    "\(name): WER \(row.wer) of \(row.words) words (\(row.substitutions) substituted, "
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
