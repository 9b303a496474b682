internal import Audio
package import VoiceCore

/// Speaks for the person: with a voice, or with the recordings that a scenario names.
package struct PersonVoice: Sendable {
    private let synthesizer: any SpeechSynthesizer

    /// Makes a person with this voice.
    package init(_ synthesizer: any SpeechSynthesizer) { self.synthesizer = synthesizer }

    /// What the person says in each turn; empty where they say nothing. Mono, 16 kHz.
    /// - Throws: when a recording cannot be read, or the voice fails.
    func speak(_ scenario: ScriptScenario) async throws(VoiceError) -> [[Float]] {
        var turns: [[Float]] = []
        for turn in scenario.turns {
            if let path = turn.recording {
                let file = try WAVFile.read(path: path)
                turns.append(Resampler.convert(file.mono, from: file.rate, to: .speech))
            } else {
                var samples: [Float] = []
                for part in turn.parts ?? turn.user.map({ [.speech($0)] }) ?? [] {
                    switch part {
                    case .speech(let text): samples += try await speak(text)
                    case .pause(let milliseconds):
                        let silence = SampleRate.speech.samples(in: .milliseconds(milliseconds))
                        samples += [Float](repeating: 0, count: silence)
                    }
                }
                turns.append(samples)
            }
        }
        return turns
    }

    private func speak(_ text: String) async throws(VoiceError) -> [Float] {
        var samples: [Float] = []
        do {
            for try await chunk in synthesizer.speak(text) { samples += chunk.samples }
        } catch { throw VoiceError.wrapping(error, doing: "the person's voice could not say '\(text)'") }
        guard !samples.isEmpty else { throw VoiceError(.malformedInput, "there is nothing to say in '\(text)'") }
        return Resampler.convert(samples, from: synthesizer.sampleRate, to: .speech)
    }
}
