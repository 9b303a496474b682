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

    @Test func `a recording on a device of choice gives NeMo's frames and tokens`() throws {
        let golden = try Golden("nemotron-golden")
        let encoding = try NemotronRecognizer.encoding(
            of: golden.audio(),
            lookahead: 1,
            path: Golden.path("nemotron-tiny-f32.gguf"),
            on: .cpu(),
            threads: 1
        )
        let expected = try golden.floats("R1.enc")
        let count = min(expected.count, encoding.frames.count)
        #expect(count > expected.count / 2)
        #expect(relativeError(Array(encoding.frames.prefix(count)), Array(expected.prefix(count))) < Self.bound)
        let tokens = try golden.integers("R1.tokens")
        let common = min(tokens.count, encoding.tokens.count)
        #expect(common > tokens.count / 2)
        #expect(encoding.tokens.prefix(common) == tokens.prefix(common))
        #expect(throws: VoiceError.self) {
            try NemotronRecognizer.encoding(
                of: [],
                lookahead: 2,
                path: Golden.path("nemotron-tiny-f32.gguf"),
                on: .cpu(),
                threads: 1
            )
        }
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
