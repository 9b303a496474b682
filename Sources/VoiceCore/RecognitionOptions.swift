/// How one stream shall be recognised. What an engine does not offer it refuses when the stream is opened, with a clear
/// error; nothing is silently ignored.
public struct RecognitionOptions: Sendable, Equatable {
    /// How far the engine may look ahead, in frames of 80 ms: latency against accuracy. Nil for the engine's default.
    public var lookahead: Int?
    /// The language spoken, as a BCP 47 tag of those the model knows, or `auto`. Nil for the engine's default.
    public var language: String?
    /// Words and phrases that are likely: names, products, places. Empty for none.
    public var phrases: [String]
    /// How much likelier each token of a phrase becomes, in nats added to its log-probability; in [0, 10].
    public var phraseBoost: Float
    /// Silence after words, measured by the recogniser itself, after which ``Transcript/isEndpoint`` is set. Nil for never.
    public var endpointSilence: Duration?

    /// Makes options; the defaults leave everything to the engine.
    public init(
        lookahead: Int? = nil,
        language: String? = nil,
        phrases: [String] = [],
        phraseBoost: Float = 1.5,
        endpointSilence: Duration? = nil
    ) {
        self.lookahead = lookahead
        self.language = language
        self.phrases = phrases
        self.phraseBoost = phraseBoost
        self.endpointSilence = endpointSilence
    }
}
