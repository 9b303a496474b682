internal import TurnDetection
internal import ArgumentParser
internal import Audio
internal import Conversation
internal import VoiceCore

/// Speech to text.
struct TranscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "transcribe", abstract: "Speech to text.")

    private struct Result: Encodable {
        struct Utterance: Encodable {
            var start: Double
            var end: Double
            var text: String
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

    @Option(help: "The recogniser: pocketsphinx.")
    var model = "pocketsphinx"

    @Option(help: "Frames of 80 ms that a streaming FastConformer may look ahead: 0, 1, 6 or 13.")
    var lookahead: Int?

    @Flag(help: "Print partial transcripts as they come.")
    var stream = false

    @Flag(help: "Print one JSON object per file.")
    var json = false

    mutating func validate() throws {
        guard !files.isEmpty else { throw ValidationError("Give at least one WAV file.") }
        guard model == "pocketsphinx" else {
            throw ValidationError("There is no recogniser '\(model)'; choose pocketsphinx.")
        }
        guard lookahead == nil else { throw ValidationError("PocketSphinx has no lookahead to choose.") }
    }

    func run() async throws {
        let room = EngineRoom(store: global.store, settings: Settings())
        let detector = try await room.voiceActivity()
        let recognizer = try await room.recognizer()
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

    /// Cuts the audio at silences and transcribes piece by piece, as a live session does.
    private func transcribe(
        _ audio: [Float],
        _ detector: any VoiceActivityDetector,
        _ recognizer: any SpeechRecognizer
    ) async throws -> [Result.Utterance] {
        let stream = try await recognizer.openStream()
        var utterances: [Result.Utterance] = []
        for range in try await speech(in: audio, detector) {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 1600) {
                let partial = try await stream.feed(Array(audio[start..<min(start + 1600, range.upperBound)]))
                if let partial, self.stream { StandardOutput.write("… \(partial.text)\n") }
            }
            let text = try await stream.finish().text
            guard !text.isEmpty else { continue }
            if self.stream, !json { StandardOutput.write(text + "\n") }
            let seconds = { (sample: Int) in Double(sample) / Double(SampleRate.speech.hertz) }
            utterances.append(
                Result.Utterance(start: seconds(range.lowerBound), end: seconds(range.upperBound), text: text)
            )
        }
        return utterances
    }

    /// The stretches with speech, with a moment before and after each.
    private func speech(in audio: [Float], _ detector: any VoiceActivityDetector) async throws -> [Range<Int>] {
        var configuration = VoiceActivityGate.Configuration()
        configuration.stop = .milliseconds(500)
        var gate = VoiceActivityGate(configuration: configuration, windowLength: detector.windowLength)
        let activity = try await detector.openStream()
        let margin = SampleRate.speech.samples(in: .milliseconds(300))
        var ranges: [Range<Int>] = []
        var onset = 0
        for probability in try await activity.feed(audio) {
            for edge in gate.advance(probability: probability, agentIsSpeaking: false) {
                switch edge {
                case .onset(let position) where !gate.isSpeech || ranges.last?.upperBound ?? 0 <= position:
                    onset = max(ranges.last?.upperBound ?? 0, position - margin)
                case .stopped(let lastSpeech):
                    ranges.append(onset..<min(audio.count, lastSpeech + margin))
                default:
                    break
                }
            }
        }
        if gate.isSpeech { ranges.append(onset..<audio.count) }
        return ranges
    }
}
