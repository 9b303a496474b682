public import VoiceCore

/// A voice that hums: every letter lasts as long as every other, so that word borders are known exactly.
public struct ToneSynthesizer: SpeechSynthesizer {
    /// See the protocol.
    public let name = "tone"
    /// See the protocol.
    public let sampleRate: SampleRate
    private let clock: any SessionClock
    private let latency: Duration
    private let samplesPerByte: Int

    /// Makes a voice that needs `latency` on `clock` for every clause and speaks `samplesPerByte` samples a UTF-8 byte.
    public init(
        clock: any SessionClock,
        sampleRate: SampleRate = .speech,
        latency: Duration = .milliseconds(30),
        samplesPerByte: Int = 960
    ) {
        self.clock = clock
        self.sampleRate = sampleRate
        self.latency = latency
        self.samplesPerByte = samplesPerByte
    }

    /// See the protocol.
    public func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let step = Counter()
        return AsyncThrowingStream { [self] in
            guard step.take() == 0 else { return nil }
            try await clock.sleep(until: clock.now + latency)
            return SpeechChunk(samples: hum(text.utf8.count * samplesPerByte), words: words(of: text))
        }
    }

    private func hum(_ count: Int) -> [Float] {
        // A square wave: audible from the first sample on.
        (0..<count).map { ($0 / 40).isMultiple(of: 2) ? 0.25 : -0.25 }
    }

    private func words(of text: String) -> [SpokenWord] {
        let bytes = Array(text.utf8)
        return bytes.indices.filter { $0 + 1 == bytes.count || bytes[$0 + 1] == UInt8(ascii: " ") }
            .map { SpokenWord(textEnd: $0 + 1, sampleEnd: ($0 + 1) * samplesPerByte) }
    }
}
