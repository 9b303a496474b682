internal import Audio
internal import Transports
internal import VoiceCore

/// Voice-to-voice times read from the recording alone, so that nothing the agent believes of itself enters.
struct RecordedLatency {
    /// First audible agent sample after the end of each question, minus its last audible sample; in milliseconds.
    var voiceToVoice: [Double] { questions.compactMap { $0 } }
    /// The same question by question; nil where there was no answer or a false start.
    private(set) var questions: [Double?] = []
    /// Questions during which the agent was audible.
    private(set) var falseStarts = 0
    /// Questions without an answer.
    private(set) var unanswered = 0

    /// - Parameters:
    ///   - agent: what the person heard.
    ///   - spoken: where on the same clock each question was spoken.
    init(agent: [Float], rate: SampleRate, spoken: [FileTransport.Spoken]) {
        for (index, question) in spoken.enumerated() {
            guard let end = question.end else { continue }
            let first = min(agent.count, rate.samples(in: question.start))
            let last = min(agent.count, rate.samples(in: end))
            let next =
                index + 1 < spoken.count ? min(agent.count, rate.samples(in: spoken[index + 1].start)) : agent.count
            if SpeechEdge.first(in: Array(agent[first..<last])) != nil {
                falseStarts += 1
                questions.append(nil)
            } else if let onset = SpeechEdge.first(in: Array(agent[last..<max(last, next)])) {
                questions.append(rate.duration(ofSamples: onset).milliseconds)
            } else {
                unanswered += 1
                questions.append(nil)
            }
        }
    }
}
