internal import SpeechRecognition
internal import VoiceCore

/// A recogniser as benchmarks hear with it: whole recordings, as live streams, for each lookahead that it has.
struct RecordingRecognition {
    let recognizer: any SpeechRecognizer
    /// For recognisers that want utterances; nil for those that take a recording as it is.
    private let detector: (any VoiceActivityDetector)?

    /// Loads the recogniser that an agent would have in process.
    init(model: String?, threads: Int?, _ room: EngineRoom) async throws {
        recognizer = try await room.recognizer(model: model, streams: 1, threads: threads, environment: [:])
        detector = recognizer is PocketSphinxRecognizer ? try await room.voiceActivity() : nil
    }

    /// Which of these lookaheads make a difference: all, or one that says nothing.
    func lookaheads(_ wanted: [Int]) -> [Int?] { recognizer is NemotronRecognizer ? wanted : [nil] }

    /// What is understood of a recording in which people speak.
    /// - Parameter speech: 16 kHz mono.
    func text(ofSpeech speech: [Float], lookahead: Int?) async throws -> String {
        let ranges = if let detector { try await SpeechRanges.find(in: speech, detector) } else { [0..<speech.count] }
        return try await text(of: speech, ranges, lookahead: lookahead)
    }

    /// What is understood of a sound, whatever it is: no detector decides what the recogniser hears.
    /// - Parameter sound: 16 kHz mono.
    func text(ofSound sound: [Float], lookahead: Int?) async throws -> String {
        try await text(of: sound, [0..<sound.count], lookahead: lookahead)
    }

    private func text(of audio: [Float], _ utterances: [Range<Int>], lookahead: Int?) async throws -> String {
        let stream = try await recognizer.openStream(RecognitionOptions(lookahead: lookahead))
        var texts: [String] = []
        for range in utterances {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: 64_000) {
                _ = try await stream.feed(Array(audio[start..<min(start + 64_000, range.upperBound)]))
            }
            texts.append(try await stream.finish().text)
        }
        return texts.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
