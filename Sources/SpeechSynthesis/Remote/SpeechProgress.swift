internal import VoiceCore

/// How far a text is spoken, so that another server can go on with it.
///
/// A value. Chunks of each server count from its own beginning; what comes out counts from the beginning of the text.
struct SpeechProgress {
    /// A first word is not longer: what broke within so much of it is begun again, whether words have times or not.
    private static let longestWord = Duration.seconds(1)

    private let text: String
    private let rate: SampleRate
    /// Where the running server began, in bytes of the text and samples of its speech.
    private var base = SpokenWord(textEnd: 0, sampleEnd: 0)
    /// Samples that came from it.
    private var samples = 0
    /// The end of its last word that came as a whole; nil before it.
    private var lastWord: SpokenWord?

    /// Begins a text.
    /// - Parameter rate: of its speech.
    init(_ text: String, rate: SampleRate) {
        self.text = text
        self.rate = rate
    }

    /// Takes a chunk of the running server.
    mutating func take(_ chunk: SpeechChunk) -> SpeechChunk {
        samples += chunk.samples.count
        if let last = chunk.words.last(where: { $0.textEnd <= text.utf8.count - base.textEnd }) { lastWord = last }
        return SpeechChunk(
            samples: chunk.samples,
            words: chunk.words.map {
                SpokenWord(textEnd: base.textEnd + $0.textEnd, sampleEnd: base.sampleEnd + $0.sampleEnd)
            }
        )
    }

    /// What the next server has to say: all of it if nothing was heard, else from the word on that did not come as a whole, which is then
    /// begun again. Empty if there is nothing left to say.
    /// - Returns: nil if nobody knows how far the text came.
    mutating func goOn() -> String? {
        guard samples > 0 else { return rest }
        guard lastWord != nil || rate.duration(ofSamples: samples) <= Self.longestWord else { return nil }
        base = SpokenWord(textEnd: base.textEnd + (lastWord?.textEnd ?? 0), sampleEnd: base.sampleEnd + samples)
        samples = 0
        lastWord = nil
        return rest
    }

    private var rest: String { String(decoding: text.utf8.dropFirst(base.textEnd), as: UTF8.self) }
}
