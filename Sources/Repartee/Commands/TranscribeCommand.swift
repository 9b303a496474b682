internal import SpeechRecognition
internal import TurnDetection
internal import ArgumentParser
internal import Audio
internal import Conversation
internal import VoiceCore

/// Speech to text.
struct TranscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "transcribe", abstract: "Speech to text.")

    private struct Result: Encodable {
        struct Word: Encodable {
            var text: String
            var start: Double
            var end: Double
            var confidence: Double
        }
        struct Utterance: Encodable {
            var start: Double
            var end: Double
            var text: String
            /// Absent where the recogniser does not know them.
            var words: [Word]?
        }
        var file: String
        var model: String
        var text: String
        var seconds: Double
        var utterances: [Utterance]
    }

    @OptionGroup var global: GlobalOptions

    @Argument(help: "WAV files.")
    var files: [String]

    @Option(
        help:
            "The recogniser: a name in the catalogue, a GGUF file, or pocketsphinx; without it the best that is there."
    )
    var model: String?

    @Option(help: "Frames of 80 ms that a streaming FastConformer may look ahead: 0, 1, 6 or 13.")
    var lookahead: Int?

    @Option(help: "The language spoken, as a tag like en-US, for recognisers of several.")
    var language: String?

    @Option(help: "A word or phrase that is likely; can be given several times.")
    var phrase: [String] = []

    @Option(help: "Processor threads of the recogniser.")
    var threads: Int?

    @Flag(help: "Print partial transcripts as they come.")
    var stream = false

    @Flag(help: "Print one JSON object per file.")
    var json = false

    mutating func validate() throws {
        guard !files.isEmpty else { throw ValidationError("Give at least one WAV file.") }
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads is from 1 to 256, not \(threads).")
        }
    }

    func run() async throws {
        let room = EngineRoom(store: global.store, settings: Settings())
        let recognizer = try await room.recognizer(model: model, streams: 1, threads: threads)
        // Recognisers made for streaming take a file as it is; PocketSphinx wants utterances.
        let detector = recognizer is PocketSphinxRecognizer ? try await room.voiceActivity() : nil
        for file in files {
            let wav = try WAVFile.read(path: file)
            if wav.isTruncated { StandardError.print("warning: \(file) is cut off; taking what is there") }
            let audio = Resampler.convert(wav.mono, from: wav.rate, to: .speech)
            let utterances = try await transcribe(audio, detector, recognizer)
            let text = utterances.map(\.text).joined(separator: " ")
            if json {
                let seconds = wav.duration.milliseconds / 1000
                try StandardOutput.write(
                    json: Result(
                        file: file,
                        model: recognizer.name,
                        text: text,
                        seconds: seconds,
                        utterances: utterances
                    )
                )
            } else if !stream {
                StandardOutput.write((files.count > 1 ? file + ": " : "") + text + "\n")
            }
        }
    }

    /// Transcribes the audio as a live stream: whole, or cut at silences where there is a detector.
    private func transcribe(
        _ audio: [Float],
        _ detector: (any VoiceActivityDetector)?,
        _ recognizer: any SpeechRecognizer
    ) async throws -> [Result.Utterance] {
        let options = RecognitionOptions(lookahead: lookahead, language: language, phrases: phrase)
        let stream = try await recognizer.openStream(options)
        var utterances: [Result.Utterance] = []
        let ranges = if let detector { try await SpeechRanges.find(in: audio, detector) } else { [0..<audio.count] }
        // Partial transcripts come with each step; without them larger pieces are faster.
        let length = self.stream || detector != nil ? 1600 : 64_000
        for range in ranges {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: length) {
                let partial = try await stream.feed(Array(audio[start..<min(start + length, range.upperBound)]))
                if let partial, self.stream { StandardOutput.write("… \(partial.text)\n") }
            }
            let transcript = try await stream.finish()
            guard !transcript.text.isEmpty else { continue }
            if self.stream, !json { StandardOutput.write(transcript.text + "\n") }
            utterances.append(utterance(transcript, range))
        }
        return utterances
    }

    private func utterance(_ transcript: Transcript, _ range: Range<Int>) -> Result.Utterance {
        let seconds = { (sample: Int) in Double(sample) / Double(SampleRate.speech.hertz) }
        let words = transcript.words.map {
            Result.Word(
                text: $0.text,
                start: $0.start.milliseconds / 1000,
                end: $0.end.milliseconds / 1000,
                confidence: (Double($0.confidence) * 1000).rounded() / 1000
            )
        }
        return Result.Utterance(
            start: seconds(range.lowerBound),
            end: seconds(range.upperBound),
            text: transcript.text,
            words: words.isEmpty ? nil : words
        )
    }
}
