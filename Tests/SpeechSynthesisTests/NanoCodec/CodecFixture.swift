internal import Foundation
internal import Inference
internal import Testing

@testable internal import SpeechSynthesis

/// What NeMo computed with a tiny random codec, and the codec's file; how they were made is in Reference/SpeechSynthesis.
///
/// Format of the arrays: 8 bytes with the header's length, a JSON header with type, shape and offsets of each array, the
/// bytes (huggingface/safetensors, README).
struct CodecFixture {
    private struct Entry: Decodable {
        var dtype: String
        var data_offsets: [Int]
    }

    private let entries: [String: Entry]
    private let bytes: Data

    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.path("codec-golden.safetensors")))
        let length = Int(data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        entries = try JSONDecoder().decode([String: Entry].self, from: data[8..<(8 + length)])
        bytes = data.dropFirst(8 + length)
    }

    /// The model's file.
    static func model() throws -> String { try path("codec-tiny.gguf") }

    private static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// An array of floats, row-major.
    func floats(_ name: String) throws -> [Float] { try values(name, "F32") }

    /// The codes of all frames: 26 frames of 8 codes.
    func frames() throws -> [[Int32]] {
        let codes: [Int32] = try values("codes", "I32")
        return stride(from: 0, to: codes.count, by: 8).map { Array(codes[$0..<($0 + 8)]) }
    }

    private func values<Value: BitwiseCopyable>(_ name: String, _ type: String) throws -> [Value] {
        let entry = try #require(entries[name], "the golden data has no '\(name)'")
        try #require(entry.dtype == type)
        let size = MemoryLayout<Value>.size
        return bytes.withUnsafeBytes { raw in
            stride(from: entry.data_offsets[0], to: entry.data_offsets[1], by: size).map {
                raw.loadUnaligned(fromByteOffset: $0, as: Value.self)
            }
        }
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
func shareOfPeak(_ actual: [Float], _ expected: [Float]) -> Float {
    guard actual.count == expected.count else { return .infinity }
    let peak = expected.reduce(0) { max($0, abs($1)) }
    return zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / peak
}
