/// Says when an utterance is over by the silence after its words, counted in encoder frames without a token.
///
/// A stream owns one from its first frame on; a copy is a fork. Words count, other tokens do not: punctuation comes
/// late and belongs to what was said before (NeMo 3.0.0 merges a leading mark into the previous utterance:
/// `nemo/collections/asr/inference/streaming/state/state.py`, push_back_words), so it neither prolongs an utterance nor
/// begins one, and no more does a language tag.
///
/// Only silence at the end of a step counts. In a gap within one, the speaker is already going on when it becomes
/// known.
struct BlankRunEndpointer: Sendable {
    private let vocabulary: TokenVocabulary
    /// Frames without a word that make an end; nil for never.
    private let requiredFrames: Int?
    private var frames = 0
    /// The frame of the last word; nil before the first word and after an end.
    private var lastWord: Int?

    /// - Parameter silence: as in ``RecognitionOptions/endpointSilence``; at least one frame.
    init(vocabulary: TokenVocabulary, silence: Duration?) {
        self.vocabulary = vocabulary
        requiredFrames = silence.map { max(1, Int(($0 / EmittedToken.frameDuration).rounded(.up))) }
    }

    /// Takes the next frames and the tokens that were emitted in them.
    ///
    /// - Returns: true once when the silence is reached; again only after another word.
    mutating func advance(frames count: Int, tokens: [EmittedToken]) -> Bool {
        frames += count
        guard let requiredFrames else { return false }
        if let word = tokens.last(where: { vocabulary.isSpoken($0.id) }) { lastWord = word.frame }
        guard let lastWord, frames - 1 - lastWord >= requiredFrames else { return false }
        self.lastWord = nil
        return true
    }

    /// Forgets the words so far: their utterance has been ended by other means.
    mutating func reset() {
        lastWord = nil
    }
}
