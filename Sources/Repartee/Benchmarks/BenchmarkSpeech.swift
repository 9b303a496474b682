internal import Audio
internal import SpeechSynthesis
internal import VoiceCore

/// The speech that a benchmark listens to.
enum BenchmarkSpeech {
    /// A recording, or flite saying the first long questions; mono, 16 kHz.
    /// - Parameter path: a WAV file; nil for flite.
    static func samples(of path: String?) async throws -> [Float] {
        if let path {
            let file = try WAVFile.read(path: path)
            return Resampler.convert(file.mono, from: file.rate, to: .speech)
        }
        let synthesizer = FliteSynthesizer()
        var samples: [Float] = []
        for text in BenchmarkUtterances.long.prefix(5) {
            for try await chunk in synthesizer.speak(text) { samples += chunk.samples }
        }
        return Resampler.convert(samples, from: synthesizer.sampleRate, to: .speech)
    }
}
