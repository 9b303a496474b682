internal import Foundation
internal import Inference
internal import Testing
internal import VoiceTesting

@testable internal import SpeechSynthesis

/// What NeMo computed with a tiny random codec, and the codec's file; how they were made is in Reference/SpeechSynthesis.
struct CodecFixture {
    private let arrays: GoldenArrays

    init() throws { arrays = try GoldenArrays(path: Self.path("codec-golden.safetensors")) }

    /// The model's file.
    static func model() throws -> String { try path("codec-tiny.gguf") }

    private static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// An array of floats, row-major.
    func floats(_ name: String) throws -> [Float] { try arrays.floats(name) }

    /// The codes of all frames: 26 frames of 8 codes.
    func frames() throws -> [[Int32]] {
        let codes = try arrays.integers("codes")
        return stride(from: 0, to: codes.count, by: 8).map { Array(codes[$0..<($0 + 8)]) }
    }

    /// A decoder of the model.
    static func decoder(
        _ path: NanoCodecDecoder.Path,
        slots: Int = 4,
        threads: Int = 1,
        keepsStages: Bool = false
    ) throws -> NanoCodecDecoder {
        let file = try GGUFFile(path: model())
        let decoder = try NanoCodecDecoder(
            file,
            NanoCodecHyperparameters(file),
            slots: slots,
            on: ComputeStream(on: .cpu(), threads: threads),
            path: path,
            keepsStages: keepsStages
        )
        for slot in 0..<slots { decoder.clear(slot) }
        return decoder
    }
}

/// The largest difference, as a share of the largest magnitude expected.
func shareOfPeak(_ actual: [Float], _ expected: [Float]) -> Float { GoldenArrays.relativeError(actual, expected) }
