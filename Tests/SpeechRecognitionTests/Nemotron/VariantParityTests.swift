internal import Testing
internal import VoiceCore

@testable internal import SpeechRecognition

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
