internal import Foundation
internal import VoiceCore

/// The bytes of a GGUF file, to be damaged in one place. Everything throws `VoiceError.Code.missingInput` where
/// the file lacks what is to be damaged.
public struct DamagedFile: Sendable {
    private var bytes: Data

    /// Reads a file.
    public init(of path: String) throws {
        bytes = try Data(contentsOf: URL(filePath: path))
    }

    /// Gives a tensor another name of the same length.
    public mutating func rename(_ tensor: String) throws {
        bytes[try position(after: tensor) - 1] ^= 1
    }

    /// Exchanges a tensor's first two dimensions.
    public mutating func transpose(_ tensor: String) throws {
        let dimensions = try position(after: tensor) + 4
        let (first, second) = (bytes[dimensions..<(dimensions + 8)], bytes[(dimensions + 8)..<(dimensions + 16)])
        bytes.replaceSubrange(dimensions..<(dimensions + 16), with: Data(second) + Data(first))
    }

    /// Declares a tensor's elements to be of another type, by ggml's number.
    public mutating func retype(_ tensor: String, as type: UInt8) throws {
        let start = try position(after: tensor)
        bytes[start + 4 + 8 * Int(bytes[start])] = type
    }

    /// What can be wrong with a tensor's entry.
    public enum Damage: CaseIterable, Sendable {
        case renamed, transposed, wrongType
    }

    /// Damages a tensor's entry.
    /// - Returns: false where that changes nothing: of a vector, and of a matrix whose dimensions are equal.
    public mutating func damage(_ tensor: String, _ damage: Damage) throws -> Bool {
        switch damage {
        case .renamed: try rename(tensor)
        case .transposed:
            let rank = try position(after: tensor)
            let dimensions = rank + 4
            let (first, second) = (bytes[dimensions..<(dimensions + 8)], bytes[(dimensions + 8)..<(dimensions + 16)])
            guard bytes[rank] > 1, Data(first) != Data(second) else { return false }
            try transpose(tensor)
        // No type of ggml's that a model here has.
        case .wrongType: try retype(tensor, as: 26)
        }
        return true
    }

    /// Sets the lowest byte of an integer in the metadata.
    public mutating func set(_ key: String, to value: UInt8) throws {
        bytes[try position(after: key) + 4] = value
    }

    /// Overwrites the last bytes, which belong to the last tensor.
    public mutating func overwriteEnd(with value: UInt8, count: Int) {
        bytes.replaceSubrange((bytes.count - count)..<bytes.count, with: Data(repeating: value, count: count))
    }

    /// Cuts the file.
    public mutating func truncate(by count: Int) {
        bytes.removeLast(count)
    }

    /// Writes the file, calls `body` with its path and deletes it.
    public func withFile<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).gguf")
        try bytes.write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try await body(url.path)
    }

    /// Where the first text equal to `name` ends; its length is in front of it.
    private func position(after name: String) throws -> Int {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: name.utf8.count >> (8 * $0)) }
        let text = Data(length) + Data(name.utf8)
        guard let place = bytes.range(of: text) else {
            throw VoiceError(.missingInput, "there is no '\(name)' in the file")
        }
        return place.upperBound
    }
}
