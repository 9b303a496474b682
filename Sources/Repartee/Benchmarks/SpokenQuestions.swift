internal import VoiceCore

/// The questions of a voice assistant's day as sound.
enum SpokenQuestions {
    /// All twenty, short and long ones in turn.
    /// - Parameter voice: who asks; a name as in settings.
    static func all(voice: String, store: ModelStore) async throws -> [(samples: [Float], rate: SampleRate)] {
        var settings = Settings()
        settings.voice.name = voice
        let synthesizer = try await EngineRoom(store: store, settings: settings).synthesizer(streams: 1)
        var questions: [(samples: [Float], rate: SampleRate)] = []
        for text in zip(BenchmarkUtterances.short, BenchmarkUtterances.long).flatMap({ [$0, $1] }) {
            var samples: [Float] = []
            for try await chunk in synthesizer.speak(text + ".") { samples += chunk.samples }
            questions.append((samples, synthesizer.sampleRate))
        }
        return questions
    }
}
