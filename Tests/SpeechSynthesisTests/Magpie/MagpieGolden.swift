internal import Foundation
internal import Testing

/// The golden data of one model: named arrays in a safetensors file, beside the GGUF file they were computed from.
///
/// Format: 8 bytes with the header's length, a JSON header with type, shape and offsets of each array, the bytes
/// (huggingface/safetensors, README).
struct MagpieGolden {
    private struct Entry: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private let entries: [String: Entry]
    private let bytes: Data

    /// Reads the fixture.
    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.path("magpie-golden.safetensors")))
        let length = Int(data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        entries = try JSONDecoder().decode([String: Entry].self, from: data[8..<(8 + length)])
        bytes = Data(data.dropFirst(8 + length))
    }

    /// The model that the data are of.
    static let model = "magpie-tiny.gguf"

    /// Where a fixture lies.
    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// An array of floats, row-major.
    func floats(_ name: String) throws -> [Float] { try values(name, "F32") }

    /// An array of integers, row-major.
    func integers(_ name: String) throws -> [Int32] { try values(name, "I32") }

    /// The rows of a matrix of floats.
    func rows(_ name: String) throws -> [[Float]] {
        let (values, width) = (try floats(name), try #require(try shape(name).last))
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }

    /// The rows of a matrix of integers.
    func integerRows(_ name: String) throws -> [[Int32]] {
        let (values, width) = (try integers(name), try #require(try shape(name).last))
        return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }

    /// An array's shape.
    func shape(_ name: String) throws -> [Int] { try #require(entries[name], "no '\(name)'").shape }

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

    /// The largest difference, as a share of the largest magnitude expected.
    static func error(_ actual: [Float], _ expected: [Float]) -> Float {
        guard actual.count == expected.count, !expected.isEmpty else { return .infinity }
        let scale = expected.reduce(0) { max($0, abs($1)) }
        return zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
    }
}
