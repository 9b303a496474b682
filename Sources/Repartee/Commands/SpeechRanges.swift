internal import Conversation
internal import VoiceCore

/// Where somebody speaks in a recording. Recognisers made for utterances want no more than that.
enum SpeechRanges {
    /// The stretches with speech, with a moment before and after each, in samples at 16 kHz.
    static func find(in audio: [Float], _ detector: any VoiceActivityDetector) async throws -> [Range<Int>] {
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
