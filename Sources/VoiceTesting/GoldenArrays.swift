internal import Foundation
internal import VoiceCore

/// Named arrays that another implementation computed, in a safetensors file.
///
/// Format: 8 bytes with the header's length, a JSON header with type, shape and offsets of each array, the bytes, little endian
/// (huggingface/safetensors, README).
public struct GoldenArrays: Sendable {
    private struct Entry: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    private var entries: [String: Entry] = [:]
    private let bytes: [UInt8]

    /// Reads a file. Throws `VoiceError.Code.malformedInput` when it is none of that format.
    public init(path: String) throws {
        let data = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard data.count >= 8, length <= data.count - 8 else {
            throw VoiceError(.malformedInput, "\(path) is no safetensors file.")
        }
        let header = try JSONSerialization.jsonObject(with: Data(data[8..<(8 + length)])) as? [String: Any] ?? [:]
        for (name, entry) in header where name != "__metadata__" {
            entries[name] = try JSONDecoder().decode(Entry.self, from: JSONSerialization.data(withJSONObject: entry))
        }
        bytes = Array(data[(8 + length)...])
    }

    /// An array of floats, row-major. All of these throw `VoiceError.Code.missingInput` when there is no such array of that type.
    public func floats(_ name: String) throws -> [Float] {
        try elements(name, "F32", 4).map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    }

    /// An array of integers, row-major.
    public func integers(_ name: String) throws -> [Int32] {
        try elements(name, "I32", 4).map { Int32(truncatingIfNeeded: $0) }
    }

    /// An array of short integers, row-major.
    public func shortIntegers(_ name: String) throws -> [Int16] {
        try elements(name, "I16", 2).map { Int16(truncatingIfNeeded: $0) }
    }

    /// An array's shape.
    public func shape(_ name: String) throws -> [Int] { try entry(name).shape }

    private func entry(_ name: String) throws -> Entry {
        guard let entry = entries[name] else { throw VoiceError(.missingInput, "The golden data have no '\(name)'.") }
        return entry
    }

    private func elements(_ name: String, _ type: String, _ size: Int) throws -> [UInt64] {
        let entry = try entry(name)
        guard entry.dtype == type, entry.data_offsets.count == 2, entry.data_offsets[1] <= bytes.count else {
            throw VoiceError(.missingInput, "'\(name)' of the golden data is no whole array of \(type).")
        }
        return stride(from: entry.data_offsets[0], to: entry.data_offsets[1], by: size).map { start in
            bytes[start..<(start + size)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    /// The largest difference, as a share of the largest magnitude expected; infinite for another number of values.
    public static func relativeError(_ actual: [Float], _ expected: [Float]) -> Float {
        guard actual.count == expected.count, !expected.isEmpty else { return .infinity }
        let scale = expected.reduce(0) { max($0, abs($1)) }
        return zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
    }
}
