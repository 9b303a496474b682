internal import Foundation
internal import Testing

/// The golden data of one model: named arrays in a safetensors file, beside the GGUF files they were computed from.
///
/// Format: 8 bytes with the header's length, a JSON header with type, shape and offsets of each array, the bytes
/// (huggingface/safetensors, README).
struct Golden {
    private struct Entry: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private let entries: [String: Entry]
    private let bytes: Data

    /// Reads the fixture of this name.
    init(_ name: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.path("\(name).safetensors")))
        let length = Int(data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let header = try #require(
            try JSONSerialization.jsonObject(with: data[8..<(8 + length)]) as? [String: Any]
        ).filter { $0.key != "__metadata__" }
        entries = try JSONDecoder().decode(
            [String: Entry].self,
            from: JSONSerialization.data(withJSONObject: header)
        )
        bytes = data.dropFirst(8 + length)
    }

    /// Where a fixture lies.
    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// An array of floats, row-major.
    func floats(_ name: String) throws -> [Float] { try values(name, "F32") }

    /// An array of integers, row-major.
    func integers(_ name: String) throws -> [Int] { try (values(name, "I32") as [Int32]).map(Int.init) }

    /// The synthetic recording, in [-1, 1].
    func audio() throws -> [Float] { try (values("audio", "I16") as [Int16]).map { Float($0) / 32_768 } }

    /// An array's shape.
    func shape(_ name: String) throws -> [Int] { try #require(entries[name]).shape }

    private func values<Value: BitwiseCopyable>(_ name: String, _ type: String) throws -> [Value] {
        let entry = try #require(entries[name], "the golden data has no '\(name)'")
        try #require(entry.dtype == type)
        let start = bytes.startIndex + entry.data_offsets[0]
        let count = (entry.data_offsets[1] - entry.data_offsets[0]) / MemoryLayout<Value>.size
        return bytes.withUnsafeBytes { raw in
            (0..<count).map {
                raw.loadUnaligned(
                    fromByteOffset: start - bytes.startIndex + $0 * MemoryLayout<Value>.size,
                    as: Value.self
                )
            }
        }
    }
}

/// The largest difference, as a share of the largest magnitude expected.
func relativeError(_ actual: [Float], _ expected: [Float]) -> Float {
    guard actual.count == expected.count else { return .infinity }
    let scale = expected.reduce(0) { max($0, abs($1)) }
    return zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
}
