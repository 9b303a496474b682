internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

/// The engine's stages against NeMo 3.0.0 on a tiny random model in NVIDIA's layout; how the numbers were made is in
/// Reference/SpeechRecognition. Error bounds: 1e-4 of the largest magnitude, which is the order of summation.
@Suite struct EncoderParityTests {
    private static let bound: Float = 1e-4
    private static let lookaheads = [0, 1, 3, 6, 13]

    @Test func `log-mel features equal NeMo's`() throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let expected = try golden.floats("mel")
        let frames = try golden.shape("mel")[1]
        let features = bench.features(try golden.audio())
        // NeMo gives one more frame and fills it with zeros.
        #expect(features.count == (frames - 1) * 128)
        let transposed = (0..<(frames - 1)).flatMap { frame in (0..<128).map { expected[$0 * frames + frame] } }
        #expect(relativeError(features, transposed) < Self.bound)
    }

    @Test(arguments: lookaheads) func `streamed frames equal NeMo's offline encoder`(lookahead: Int) throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let rows = try golden.integers("R\(lookahead).mel_frames")[0]
        let features = Array(bench.features(try golden.audio()).prefix(rows * 128))
        let frames = try bench.encode(features, lookahead: lookahead)
        let expected = try golden.floats("R\(lookahead).enc")
        #expect(relativeError(frames.flatMap { $0 }, expected) < Self.bound)
    }

    @Test(arguments: lookaheads) func `several chunks in one step equal one at a time`(lookahead: Int) throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let rows = try golden.integers("R\(lookahead).mel_frames")[0]
        let features = Array(bench.features(try golden.audio()).prefix(rows * 128))
        let frames = try bench.encode(features, lookahead: lookahead, limit: bench.encoder.maximumFrames)
        let expected = try golden.floats("R\(lookahead).enc")
        #expect(relativeError(frames.flatMap { $0 }, expected) < Self.bound)
    }

    @Test(arguments: [1, 2, 7, 8, 9, 16, 17, 24, 25, 100, 233])
    func `a stream of any length ends like NeMo's offline encoder`(rows: Int) throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let features = Array(bench.features(try golden.audio()).prefix(rows * 128))
        let frames = try bench.encode(features, lookahead: 1, ends: true)
        let expected = try golden.floats("len\(rows).enc")
        #expect(relativeError(frames.flatMap { $0 }, expected) < Self.bound)
    }

    @Test(arguments: lookaheads) func `greedy tokens equal NeMo's`(lookahead: Int) throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let rows = try golden.integers("R\(lookahead).mel_frames")[0]
        let features = Array(bench.features(try golden.audio()).prefix(rows * 128))
        let tokens = try bench.tokens(features, lookahead: lookahead)
        #expect(tokens.map { Int($0.id) } == (try golden.integers("R\(lookahead).tokens")))
        #expect(tokens.map(\.frame) == (try golden.integers("R\(lookahead).token_frames")))
        #expect(tokens.allSatisfy { $0.logProbability <= 0 && $0.logProbability.isFinite })
    }

    @Test func `quantised weights are wrong by no more than their rounding`() throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-q8_0.gguf"))
        let rows = try golden.integers("R1.mel_frames")[0]
        let features = Array(bench.features(try golden.audio()).prefix(rows * 128))
        let frames = try bench.encode(features, lookahead: 1)
        // The weights are the same numbers; what differs is that activations are rounded to 8 bits too.
        #expect(relativeError(frames.flatMap { $0 }, try golden.floats("R1.enc")) < 3e-2)
    }
}

/// Models that the first golden data lacks, against Hugging Face transformers 5.23: biases and scaled input, languages.
@Suite struct VariantParityTests {
    private static let bound: Float = 1e-4
    private static let lookaheads = [0, 1, 3, 6, 13]

    /// The features of a golden array of shape [bands, frames], row by row.
    private func features(_ golden: Golden, _ rows: Int) throws -> [Float] {
        let (mel, frames) = (try golden.floats("mel"), try golden.shape("mel")[1])
        return (0..<rows).flatMap { row in (0..<128).map { mel[$0 * frames + row] } }
    }

    @Test(arguments: lookaheads) func `a model with biases and scaled input equals transformers`(lookahead: Int) throws
    {
        let (golden, bench) = (try Golden("nemotron-biased-golden"), try EncoderBench("nemotron-biased.gguf"))
        let input = try features(Golden("nemotron-golden"), golden.integers("R\(lookahead).mel_frames")[0])
        let frames = try bench.encode(input, lookahead: lookahead)
        #expect(relativeError(frames.flatMap { $0 }, try golden.floats("R\(lookahead).enc")) < Self.bound)
        let tokens = try bench.tokens(input, lookahead: lookahead)
        #expect(tokens.map { Int($0.id) } == (try golden.integers("R\(lookahead).tokens")))
        #expect(tokens.map(\.frame) == (try golden.integers("R\(lookahead).token_frames")))
    }

    @Test(arguments: lookaheads) func `a model of several languages equals transformers`(lookahead: Int) throws {
        let (golden, bench) = (try Golden("nemotron-prompt-golden"), try EncoderBench("nemotron-prompt.gguf"))
        let input = try features(golden, golden.integers("R\(lookahead).mel_frames")[0])
        let auto = try bench.prompts.number(of: nil)
        let frames = try bench.encode(input, lookahead: lookahead, prompt: auto)
        #expect(relativeError(frames.flatMap { $0 }, try golden.floats("R\(lookahead).enc")) < Self.bound)
        let tokens = try bench.tokens(input, lookahead: lookahead, prompt: auto)
        #expect(tokens.map { Int($0.id) } == (try golden.integers("R\(lookahead).tokens")))
    }

    @Test func `a chosen language is followed, and an unknown one refused`() throws {
        let (golden, bench) = (try Golden("nemotron-prompt-golden"), try EncoderBench("nemotron-prompt.gguf"))
        let input = try features(golden, golden.integers("R3.de.mel_frames")[0])
        for tag in ["de-DE", "de", "DE_de"] {
            let german = try bench.prompts.number(of: tag)
            let frames = try bench.encode(input, lookahead: 3, prompt: german)
            #expect(relativeError(frames.flatMap { $0 }, try golden.floats("R3.de.enc")) < Self.bound)
        }
        let german = try bench.prompts.number(of: "de")
        let tokens = try bench.tokens(input, lookahead: 3, prompt: german)
        #expect(tokens.map { Int($0.id) } == (try golden.integers("R3.de.tokens")))
        let error = #expect(throws: VoiceError.self) { try bench.prompts.number(of: "tlh") }
        #expect(error?.code == .usage)
    }
}

@Suite struct PhraseBoostingTests {
    @Test func `a likely token is chosen more often, and only where one would be written anyway`() throws {
        let (golden, bench) = (try Golden("nemotron-golden"), try EncoderBench("nemotron-tiny-f32.gguf"))
        let features = bench.features(try golden.audio())
        let pieces = ["<unk>", "▁"] + (2..<64).map { "x\(Character(Unicode.Scalar(UInt8(60 + $0))))" }
        let vocabulary = try TokenVocabulary(pieces: ["<unk>", "▁", "q"] + pieces.dropFirst(3))
        let plain = try bench.tokens(features, lookahead: 1)
        let trie = try PhraseTrie(phrases: ["q"], boost: 10, vocabulary: vocabulary)
        let boosted = try bench.tokens(features, lookahead: 1, booster: PhraseBooster(trie))
        func count(_ tokens: [EmittedToken]) -> Int { tokens.count { $0.id == 1 || $0.id == 2 } }
        #expect(count(boosted) > count(plain))
        // The first token comes in the same frame: phrases never win against the blank.
        #expect(boosted.first?.frame == plain.first?.frame)
        let nothing = try PhraseTrie(phrases: ["q"], boost: 0, vocabulary: vocabulary)
        #expect(try bench.tokens(features, lookahead: 1, booster: PhraseBooster(nothing)) == plain)
    }
}

/// An encoder and a transducer without the engine around them.
final class EncoderBench {
    let h: NemotronHyperparameters
    let encoder: StreamingEncoder
    let transducer: Transducer
    let prompts: LanguagePrompts
    private let tables: LogMelTables

    init(_ fixture: String, slots: Int = 4) throws {
        let file = try GGUFFile(path: Golden.path(fixture))
        h = try NemotronHyperparameters(file)
        let stream = try ComputeStream(on: .cpu())
        encoder = try StreamingEncoder(file, h, slots: slots, on: stream)
        transducer = try Transducer(file, h, on: stream)
        tables = try NemotronRecognizer.tables(file, h)
        prompts = try LanguagePrompts(file, h)
    }

    /// The features of a whole recording.
    func features(_ audio: [Float]) -> [Float] {
        var logMel = LogMel(tables)
        var features: [Float] = []
        logMel.feed(audio, into: &features)
        logMel.flush(into: &features)
        return features
    }

    /// A stream's frames, as the joint network does not see them yet.
    func encode(
        _ features: [Float],
        lookahead: Int,
        limit: Int = 1,
        ends: Bool = false,
        prompt: Int = 0
    ) throws -> [[Float]] {
        encoder.clear(1)
        return try chunks(features, lookahead: lookahead, limit: limit, ends: ends).flatMap { chunk in
            try encoder.step([StreamingEncoder.Work(slot: 1, chunk: chunk, prompt: prompt)])[0].frames
        }
    }

    /// A stream's tokens, step by step.
    func tokens(
        _ features: [Float],
        lookahead: Int,
        limit: Int = 1,
        booster: PhraseBooster? = nil,
        prompt: Int = 0
    ) throws -> [EmittedToken] {
        encoder.clear(2)
        var state = GreedySearch.State(predictor: try transducer.beginning(), booster: booster)
        var tokens: [EmittedToken] = []
        for chunk in chunks(features, lookahead: lookahead, limit: limit) {
            let result = try encoder.step([StreamingEncoder.Work(slot: 2, chunk: chunk, prompt: prompt)])[0]
            var work = [GreedySearch.Work(state: state, frames: result.projected, firstFrame: chunk.position)]
            try GreedySearch(transducer: transducer).decode(&work)
            state = work[0].state
            tokens += work[0].tokens
        }
        return tokens
    }

    private func chunks(_ features: [Float], lookahead: Int, limit: Int, ends: Bool = false) -> [EncoderChunk] {
        var cutter = ChunkCutter(bands: h.melBands, lookahead: lookahead)
        cutter.append(features)
        var chunks: [EncoderChunk] = []
        while let chunk = cutter.next(limit: limit) { chunks.append(chunk) }
        if ends, let rest = cutter.rest() { chunks.append(rest) }
        return chunks
    }
}
