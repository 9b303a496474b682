internal import VoiceCore

/// A piece of speech on its way to the listener: silence taken off, cut into chunks, each with the words that end in it.
struct TrimmedSpeech {
    private var trimmer: SilenceTrimmer
    /// Samples of the utterance before this piece.
    private let base: Int
    /// Where each word ends in the engine's audio, oldest first; words leave as they are reported.
    private var borders: WordBorders

    /// - Parameters:
    ///   - trimmer: takes the silence off.
    ///   - borders: where each word ends in what the engine makes, counted from the piece's first sample.
    ///   - base: samples of the utterance before this piece.
    init(_ trimmer: SilenceTrimmer, borders: [SpokenWord], base: Int) {
        self.trimmer = trimmer
        self.borders = WordBorders(borders)
        self.base = base
    }

    /// Takes the next samples.
    /// - Returns: the chunks that are complete.
    mutating func feed(_ samples: [Float]) -> [SpeechChunk] { chunks(of: trimmer.feed(samples), isLast: false) }

    /// Ends the speech with `pause` of silence after its last sound.
    /// - Returns: the remaining chunks.
    mutating func finish(pause: Duration) -> [SpeechChunk] {
        chunks(of: trimmer.finish(pause: pause), isLast: true)
    }

    private mutating func chunks(of pieces: [[Float]], isLast: Bool) -> [SpeechChunk] {
        var end = trimmer.emitted - pieces.reduce(0) { $0 + $1.count }
        var chunks: [SpeechChunk] = []
        for samples in pieces {
            end += samples.count
            let words = borders.take(
                until: end,
                dropped: trimmer.dropped,
                base: base,
                all: isLast && end == trimmer.emitted
            )
            chunks.append(SpeechChunk(samples: samples, words: words))
        }
        return chunks
    }
}
