internal import VoiceCore

/// The silence between two sentences: what the voice leaves of it after the first counts.
struct SentencePause: Sendable {
    /// Below this a sample is silence: -60 dB of full scale.
    private static let silence: Float = 0.001

    /// The pause in samples.
    private let length: Int
    /// Silent samples at the end of the audio so far.
    private var silentCount = 0
    private var isSentenceOver = false

    /// Makes a pause at a rate.
    init(_ pause: Duration, rate: SampleRate) { length = rate.samples(in: pause) }

    /// Takes audio that is sent.
    mutating func feed(_ samples: [Float]) {
        let silent = samples.reversed().prefix { abs($0) < Self.silence }.count
        silentCount = silent == samples.count ? silentCount + silent : silent
    }

    /// Takes the end of a text.
    mutating func end(_ text: String) {
        let closing: Set<Character> = ["\"", "'", ")", "]", "”", "’", "»"]
        let last = text.last { !$0.isWhitespace && !closing.contains($0) }
        isSentenceOver = last.map { ".!?…。！？".contains($0) } ?? false
    }

    /// The silence that is due before the next text, once.
    mutating func take() -> Int {
        defer { isSentenceOver = false }
        return isSentenceOver ? max(0, length - silentCount) : 0
    }
}
