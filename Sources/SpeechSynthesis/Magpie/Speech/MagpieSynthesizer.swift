package import Inference
internal import Synchronization
package import VoiceCore

/// Magpie TTS and NanoCodec as a voice: written text in, sound out, from the first frame of 46 ms on.
///
/// One object loads both models; ``speaking(as:)`` gives its other speakers. Speeches that run at the same time share the
/// engines and step together.
package struct MagpieSynthesizer: SpeechSynthesizer {
    /// Where the parts of a voice lie.
    package struct Files: Sendable {
        /// The GGUF file of Magpie.
        package var model: String
        /// The GGUF file of the codec's decoder.
        package var codec: String
        /// The pronunciation dictionaries: see ``PronunciationFiles``. Not read for languages that need none.
        package var pronunciations: String

        /// Names the parts.
        package init(model: String, codec: String, pronunciations: String) {
            self.model = model
            self.codec = codec
            self.pronunciations = pronunciations
        }
    }

    /// How a voice is loaded and how much it may hold.
    package struct Configuration: Sendable {
        /// Texts that can be spoken at the same time.
        package var streams: Int
        /// CPU threads of each engine; nil for a number that suits this machine.
        package var threads: Int?
        /// The language of all texts.
        package var language: MagpieTokenizer.Language
        /// Pronunciations that come before the dictionary's.
        package var lexicon: PronunciationLexicon
        /// What the speeches' random numbers are made from; each speech has others.
        package var seed: UInt64
        /// The device's lane, where other engines compute on it too.
        package var lane: Lane?

        /// Makes a configuration.
        package init(
            streams: Int = 4,
            threads: Int? = nil,
            language: MagpieTokenizer.Language = .english,
            lexicon: PronunciationLexicon = PronunciationLexicon(),
            seed: UInt64 = 0,
            lane: Lane? = nil
        ) {
            self.streams = streams
            self.threads = threads
            self.language = language
            self.lexicon = lexicon
            self.seed = seed
            self.lane = lane
        }
    }

    /// Tokens of a spoken text, the one that ends it included, and for each the word that it belongs to.
    typealias Encoding = @Sendable (SpokenText) -> (ids: [Int32], words: [Int])

    /// The speaker's name in small letters, for example `magpie-aria`.
    package var name: String { "magpie-" + model.speakers[speaker].lowercased() }
    /// 22,050 Hz.
    package let sampleRate: SampleRate
    /// The speakers' names.
    package var speakers: [String] { model.speakers }

    let model: MagpieModel
    let codec: NanoCodec
    let encode: Encoding
    let language: MagpieTokenizer.Language
    /// How codes are drawn; the seed is each speech's own.
    var sampling: MagpieSampling
    private(set) var speaker = 0
    private let seeds: Seeds

    /// Loads a voice and warms it up. It speaks as the model's first speaker.
    /// - Throws: ``VoiceError/Code/missingInput`` for a file that is not there, ``VoiceError/Code/malformedInput`` for one that
    ///   is damaged or does not belong to the others, ``VoiceError/Code/exhausted`` when it does not fit into memory,
    ///   ``VoiceError/Code/usage`` for a configuration without meaning.
    package init(files: Files, configuration: Configuration = Configuration()) async throws(VoiceError) {
        let language = configuration.language
        var texts = PronunciationFiles.Texts()
        if language.needsDictionary {
            texts = try PronunciationFiles(path: files.pronunciations).texts(for: language)
        }
        let tokenizer = try MagpieTokenizer(
            language: language,
            rows: MagpieModel.knownVocabulary,
            dictionary: texts.dictionary,
            heteronyms: texts.heteronyms,
            lexicon: configuration.lexicon
        )
        let (streams, threads, lane) = (configuration.streams, configuration.threads, configuration.lane)
        try await self.init(
            model: MagpieModel(
                path: files.model,
                configuration: MagpieModel.Configuration(streams: streams, threads: threads, lane: lane)
            ),
            codec: NanoCodec(
                path: files.codec,
                configuration: NanoCodec.Configuration(streams: streams, threads: threads, lane: lane)
            ),
            language: language,
            seed: configuration.seed,
            encode: { tokenizer.encode($0) }
        )
    }

    /// Makes a voice of loaded parts.
    /// - Throws: ``VoiceError/Code/malformedInput`` when the codec is not the model's.
    init(
        model: MagpieModel,
        codec: NanoCodec,
        language: MagpieTokenizer.Language = .english,
        seed: UInt64 = 0,
        encode: @escaping Encoding
    ) throws(VoiceError) {
        guard model.codebooks.count == codec.codebooks, model.codebooks.size <= codec.codebookSize else {
            throw VoiceError(
                .malformedInput,
                "the model \(model.name) makes frames of \(model.codebooks.count) codes below \(model.codebooks.size), the codec "
                    + "\(codec.name) reads \(codec.codebooks) below \(codec.codebookSize): take the codec that belongs to the model"
            )
        }
        guard (8_000...96_000).contains(codec.sampleRate) else {
            throw VoiceError(.malformedInput, "the codec \(codec.name) makes sound of \(codec.sampleRate) Hz")
        }
        self.model = model
        self.codec = codec
        self.language = language
        self.encode = encode
        sampling = model.sampling
        sampleRate = SampleRate(codec.sampleRate)
        seeds = Seeds(seed)
    }

    /// The same voice as another of its speakers; it shares the engines.
    /// - Throws: ``VoiceError/Code/usage`` when there is no such speaker; the message lists them.
    package func speaking(as name: String) throws(VoiceError) -> MagpieSynthesizer {
        guard let number = model.speaker(named: name) else {
            let names = speakers.map { $0.lowercased() }.joined(separator: ", ")
            throw VoiceError(.usage, "\(model.name) has no speaker '\(name.prefix(80))'; it has \(names)")
        }
        var other = self
        other.speaker = number
        return other
    }

    /// Speaks `text`; see ``SpeechSynthesizer/speak(_:urgency:)``. Cancelling or dropping the stream stops the engines within
    /// one step: a frame, or a layer of a text's beginning. One consumer. Nothing is computed before it asks, and a chunk at
    /// a time after that.
    ///
    /// A text that is longer than ``MagpieTexts`` allows is said sentence by sentence, each with the end of the one before in
    /// view.
    package func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        let spoken = language == .english ? EnglishNormalizer().spoken(text) : SpokenText(asWritten: text)
        let speech = MagpieSpeech(of: spoken, by: self, seed: seeds.next(), urgency: urgency)
        return AsyncThrowingStream { try await speech.next() }
    }

    /// Another seed for every speech, the same ones in every process.
    private final class Seeds: Sendable {
        private let state: Mutex<SplitMix64>

        init(_ seed: UInt64) { state = Mutex(SplitMix64(seed: seed)) }

        func next() -> UInt64 { state.withLock { $0.next() } }
    }
}
