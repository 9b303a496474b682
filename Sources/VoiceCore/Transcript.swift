/// A word of a transcript with its place in the audio.
public struct RecognizedWord: Sendable, Equatable {
    /// The word as in the transcript's text, punctuation included.
    public var text: String
    /// Where it begins, counted in audio given to the stream since it was opened.
    public var start: Duration
    /// Where it ends; never before ``start``.
    public var end: Duration
    /// How sure the engine is, in [0, 1]: the probability of the word's least probable token.
    public var confidence: Float

    /// Makes a word.
    public init(text: String, start: Duration, end: Duration, confidence: Float) {
        self.text = text
        self.start = start
        self.end = end
        self.confidence = confidence
    }
}

/// What a recogniser has understood of one utterance so far.
public struct Transcript: Sendable, Equatable {
    /// The words, as text to be shown and sent to the language model. Empty when nothing was understood.
    public var text: String
    /// True when no later audio can change the text.
    public var isFinal: Bool
    /// The words with their times and confidences; empty when the engine does not know them.
    public var words: [RecognizedWord]
    /// Bytes of the UTF-8 form of ``text``, from its beginning, that no later audio can change. All of it when final; 0
    /// when the engine cannot promise anything.
    public var stableLength: Int
    /// Punctuation that was recognised only now and belongs to the end of the transcript before this one; empty otherwise.
    public var amendment: String
    /// True when the text goes on with the last word of the transcript before it, which a cut in running speech went
    /// through: no space belongs between the two.
    public var continuesWord: Bool
    /// True when the engine's own endpointer, if ``RecognitionOptions/endpointSilence`` switched it on, holds the utterance
    /// for over. The caller decides and calls ``RecognizerStream/finish(flushing:)``.
    public var isEndpoint: Bool

    /// Makes a transcript.
    public init(
        text: String,
        isFinal: Bool,
        words: [RecognizedWord] = [],
        stableLength: Int? = nil,
        amendment: String = "",
        continuesWord: Bool = false,
        isEndpoint: Bool = false
    ) {
        self.text = text
        self.isFinal = isFinal
        self.words = words
        self.stableLength = stableLength ?? (isFinal ? text.utf8.count : 0)
        self.amendment = amendment
        self.continuesWord = continuesWord
        self.isEndpoint = isEndpoint
    }
}
