internal import Audio
internal import Foundation
package import Inference
package import VoiceCore

/// NVIDIA's Nemotron Speech streaming recognisers on ggml: cache-aware FastConformer encoders with an RNN-T head, by NVIDIA's
/// GGUF files as they are.
///
/// All streams share one engine and its thread; those that speak at the same time step together.
package struct NemotronRecognizer: SpeechRecognizer {
    /// How a model is loaded and how much it may hold.
    package struct Configuration: Sendable {
        /// Streams that can be open at the same time; each takes about 8 MB once it is used.
        package var streams: Int
        /// Frames of 80 ms that streams look ahead unless they ask for something else; nil for 1 where the model has it.
        package var lookahead: Int?
        /// CPU threads; nil for a number that suits this machine.
        package var threads: Int?
        /// Where to compute; nil for a GPU if there is one, else the CPU.
        package var device: Device?
        /// What to call the model; nil for the name in its file.
        package var name: String?
        /// The device's lane, where other engines compute on it too.
        package var lane: Lane?

        /// Makes a configuration.
        package init(
            streams: Int = 8,
            lookahead: Int? = nil,
            threads: Int? = nil,
            device: Device? = nil,
            name: String? = nil,
            lane: Lane? = nil
        ) {
            self.streams = streams
            self.lookahead = lookahead
            self.threads = threads
            self.device = device
            self.name = name
            self.lane = lane
        }
    }

    /// The model's name.
    package let name: String
    /// The lookaheads that streams can choose, in frames of 80 ms, shortest first.
    package let lookaheads: [Int]
    /// The lookahead of streams that ask for none.
    private let standardLookahead: Int

    private let engine: NemotronEngine
    private let tables: LogMelTables
    private let vocabulary: TokenVocabulary
    private let prompts: LanguagePrompts

    private static let streamCounts = 1...1024
    /// 160 ms: the shortest but one, at which CPUs keep up.
    private static let wantedLookahead = 1

    /// Loads a model and warms it up. Takes about as long as the disk needs for the file.
    /// - Throws: ``VoiceError/Code/missingInput`` when there is no such file, ``VoiceError/Code/malformedInput`` when it is
    ///   damaged or not such a model, ``VoiceError/Code/exhausted`` when it does not fit into memory,
    ///   ``VoiceError/Code/usage`` for a configuration without meaning.
    package init(path: String, configuration: Configuration = Configuration()) async throws(VoiceError) {
        guard Self.streamCounts.contains(configuration.streams) else {
            throw VoiceError(.usage, "\(configuration.streams) streams cannot be had; choose \(Self.streamCounts).")
        }
        let executor = EngineExecutor(name: "recogniser")
        let file = try await executor.run { () throws(VoiceError) in try GGUFFile(path: path) }
        let h = try NemotronHyperparameters(file)
        standardLookahead = try Self.lookahead(configuration.lookahead, h)
        lookaheads = h.lookaheads
        name =
            configuration.name ?? (try? file.string("general.name"))
            ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        vocabulary = try Self.vocabulary(file, h)
        prompts = try LanguagePrompts(file, h)
        tables = try Self.tables(file, h)

        engine = try await Self.load(file, h, executor, configuration)
        try await engine.warmUp(lookahead: standardLookahead)
    }

    /// Opens a stream; see ``SpeechRecognizer/openStream(_:)``.
    package func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream {
        try await openForkableStream(options)
    }

    /// Opens a stream that can be forked.
    /// - Throws: ``VoiceError/Code/usage`` for an option that the model does not offer,
    ///   ``VoiceError/Code/exhausted`` when all streams are in use.
    package func openForkableStream(
        _ options: RecognitionOptions = RecognitionOptions()
    ) async throws(VoiceError) -> NemotronStream {
        let lookahead = options.lookahead ?? standardLookahead
        let phrases =
            options.phrases.isEmpty
            ? nil : try PhraseTrie(phrases: options.phrases, boost: options.phraseBoost, vocabulary: vocabulary)
        return try await NemotronStream(
            engine: engine,
            options: NemotronStreamOptions(
                tables: tables,
                vocabulary: vocabulary,
                lookahead: try Self.lookahead(lookahead, engine.h),
                prompt: try prompts.number(of: options.language),
                phrases: phrases,
                endpointSilence: options.endpointSilence,
                framesPerStep: engine.maximumFrames
            )
        )
    }

    /// The log-mel features of a whole recording, one row after the other, as a stream computes them: to measure what they
    /// cost. Runs on the caller's thread.
    package func features(of samples: [Float]) -> [Float] {
        var logMel = LogMel(tables)
        var features: [Float] = []
        logMel.feed(samples, into: &features)
        logMel.flush(into: &features)
        return features
    }

    // MARK: loading

    private static func lookahead(_ wanted: Int?, _ h: NemotronHyperparameters) throws(VoiceError) -> Int {
        guard let wanted else {
            return h.lookaheads.contains(wantedLookahead) ? wantedLookahead : h.lookaheads[h.lookaheads.count - 1]
        }
        guard h.lookaheads.contains(wanted) else {
            let choices = h.lookaheads.map(String.init).joined(separator: ", ")
            throw VoiceError(.usage, "This model has no lookahead of \(wanted) frames; choose one of \(choices).")
        }
        return wanted
    }

    private static func vocabulary(_ file: GGUFFile, _ h: NemotronHyperparameters) throws(VoiceError) -> TokenVocabulary
    {
        let type = try file.string("asr.tokenizer.type")
        guard type == "sentencepiece_bpe" else {
            throw file.unsuitable("its tokenizer is '\(type)', and only 'sentencepiece_bpe' is supported")
        }
        let pieces = try file.strings("asr.tokenizer.vocab")
        guard pieces.count == h.blank else {
            throw file.unsuitable("its vocabulary has \(pieces.count) pieces and its networks \(h.blank)")
        }
        do { return try TokenVocabulary(pieces: pieces) } catch { throw file.unsuitable(error.message) }
    }

    static func tables(_ file: GGUFFile, _ h: NemotronHyperparameters) throws(VoiceError) -> LogMelTables {
        let bins = h.fftLength / 2 + 1
        let filterbank: MelFilterbank
        if file.hasTensor(named: "preprocessor.fb") {
            let tensor = try file.tensor(named: "preprocessor.fb", shape: [bins, h.melBands], types: [.f32, .f16])
            filterbank = MelFilterbank(matrix: try file.floats(of: tensor), bins: bins)
        } else {
            filterbank = MelFilterbank(
                count: h.melBands,
                fftLength: h.fftLength,
                sampleRate: NemotronHyperparameters.sampleRate
            )
        }
        guard let tables = LogMelTables(h, filterbank: filterbank) else {
            throw file.unsuitable(
                "spectra of \(h.fftLength) points are not supported, only twice a product of fours and fives"
            )
        }
        return tables
    }

    private static func load(
        _ file: GGUFFile,
        _ h: NemotronHyperparameters,
        _ executor: EngineExecutor,
        _ configuration: Configuration
    ) async throws(VoiceError) -> NemotronEngine {
        let device = if let device = configuration.device { device } else { try Device.best() }
        let threads = configuration.threads ?? suitableThreads
        return try await executor.run { () throws(VoiceError) in
            try NemotronEngine(
                file,
                h,
                streams: configuration.streams,
                on: device,
                threads: threads,
                lane: configuration.lane,
                executor: executor
            )
        }
    }

    /// Half of the processors, at most four. ggml's threads wait for each other by spinning, and one that has to share its
    /// processor with other work holds up all: on two processors that the rest of an agent uses too, two threads are far
    /// slower than one (docs/performance.md).
    private static var suitableThreads: Int { min(4, max(1, ProcessInfo.processInfo.activeProcessorCount / 2)) }
}
