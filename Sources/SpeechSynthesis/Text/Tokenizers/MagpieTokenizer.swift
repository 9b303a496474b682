package import VoiceCore

/// A Magpie voice's tokeniser for one language: ids as the model's text embedding counts them.
///
/// The vocabularies of all languages stand one after the other in one table (NeMo's `AggregatedTTSTokenizer`); which stands
/// where depends on the checkpoint and is in no file of it, so tables of unknown size are refused.
package struct MagpieTokenizer: Sendable {
    /// A language that can be spoken here.
    package enum Language: String, CaseIterable, Sendable {
        case english = "en"
        case spanish = "es"
        case german = "de"
        case french = "fr"
        case italian = "it"
        case vietnamese = "vi"

        /// Whether the language needs the voice's pronunciation dictionary.
        package var needsDictionary: Bool {
            switch self {
            case .english, .spanish, .german: true
            case .french, .italian, .vietnamese: false
            }
        }

        /// The language of a code such as `en` or `en-US`.
        /// - Throws: `usage`, naming what there is.
        package init(code: String) throws(VoiceError) {
            let plain = code.lowercased().prefix { $0 != "-" && $0 != "_" }
            guard let language = Language(rawValue: String(plain)) else {
                let names = Language.allCases.map(\.rawValue).joined(separator: ", ")
                throw VoiceError(.usage, "the voice cannot read the language '\(code.prefix(40))'; it reads \(names)")
            }
            self = language
        }

        /// Where the language's ids begin and how many there are, in a table of 2362 rows (the checkpoint v2602).
        var place: (offset: Int32, count: Int32) {
            switch self {
            case .english: (0, 96)
            case .spanish: (96, 103)
            case .german: (199, 150)
            case .french: (633, 384)
            case .italian: (1_208, 384)
            case .vietnamese: (1_592, 384)
            }
        }
    }

    private enum Kind: Sendable {
        case phonemes(IPATokenizer)
        case bytes(ByteTokenizer)
    }

    /// Rows of the text embedding of the checkpoint whose layout is known: 2360 symbols, beginning and end.
    package static let rows = 2_362

    /// Tokens that a text has at least besides its first and its end: shorter ones are filled up behind the first, else the
    /// voice goes on after a single word. NVIDIA/NeMo-Speech.cpp @ 4f9676226, `src/tts/tokenizer/tokenizer_impl.cpp`
    /// (`pad_short_text_chunk_before_eos`); NeMo 3.0.0 does not do it.
    private static let leastTokens = 4

    private let kind: Kind
    private let offset: Int32
    /// The id that short texts are filled up with.
    private let padID: Int32
    /// The id that ends every text.
    package let endID: Int32

    /// Makes a tokeniser.
    /// - Parameters:
    ///   - language: of the text.
    ///   - rows: rows of the model's text embedding.
    ///   - dictionary: the text of the voice's dictionary for this language, where it needs one.
    ///   - heteronyms: the text of the voice's list of heteronyms; English only.
    ///   - lexicon: pronunciations that come first.
    /// - Throws: `unavailable` for a model of another size, `missingInput` without a dictionary, `malformedInput` for one that
    ///   is not this voice's.
    package init(
        language: Language,
        rows: Int,
        dictionary: String?,
        heteronyms: String = "",
        lexicon: PronunciationLexicon = PronunciationLexicon()
    ) throws(VoiceError) {
        guard rows == Self.rows else {
            throw VoiceError(
                .unavailable,
                "the model's text embedding has \(rows) rows; the vocabulary is known for \(Self.rows) only (magpie v2602)"
            )
        }
        endID = Int32(Self.rows - 1)
        offset = language.place.offset
        guard language.needsDictionary else {
            kind = .bytes(ByteTokenizer())
            padID = offset
            return
        }
        guard let dictionary else {
            throw VoiceError(
                .missingInput,
                "the language '\(language.rawValue)' needs the pronunciation dictionary of the model's archive"
            )
        }
        let configuration: IPATokenizer.Configuration =
            switch language {
            case .german: .german
            case .spanish: .spanish
            default: .english
            }
        let tokenizer = try IPATokenizer(
            dictionary: dictionary,
            heteronyms: heteronyms,
            lexicon: lexicon,
            configuration: configuration
        )
        guard tokenizer.vocabulary.count == Int(language.place.count) else {
            throw VoiceError(
                .malformedInput,
                """
                the dictionary gives the language '\(language.rawValue)' \(tokenizer.vocabulary.count) symbols, the model has \
                \(language.place.count): take the dictionary out of the model's own archive
                """
            )
        }
        kind = .phonemes(tokenizer)
        padID = offset + tokenizer.padID
    }

    /// The ids of a spoken text with ``endID`` behind them, and for each id the word it belongs to.
    ///
    /// A text that ends without a mark gets a full stop: the voice was trained on sentences and otherwise may not end.
    /// Nothing to say gives no ids.
    package func encode(_ spoken: SpokenText) -> (ids: [Int32], words: [Int]) {
        var spoken = spoken
        guard let last = spoken.words.last?.text else { return ([], []) }
        if !last.contains(where: { ".!?;:,".contains($0) }) || last.last?.isLetter == true {
            spoken.words[spoken.words.count - 1].text.append(".")
        }
        let (ids, words) =
            switch kind {
            case .phonemes(let tokenizer): tokenizer.encode(spoken)
            case .bytes(let tokenizer): tokenizer.encode(spoken)
            }
        var result = (ids: ids.map { $0 + offset } + [endID], words: words + [max(0, spoken.words.count - 1)])
        let missing = Self.leastTokens - (result.ids.count - 2)
        if missing > 0, let first = result.words.first {
            result.ids.insert(contentsOf: repeatElement(padID, count: missing), at: 1)
            result.words.insert(contentsOf: repeatElement(first, count: missing), at: 1)
        }
        return result
    }
}
