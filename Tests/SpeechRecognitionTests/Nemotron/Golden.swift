internal import Foundation
internal import Testing
internal import VoiceTesting

/// The golden data of one model, beside the GGUF file they were computed from.
struct Golden {
    private let arrays: GoldenArrays

    /// Reads the fixture of this name.
    init(_ name: String) throws { arrays = try GoldenArrays(path: Self.path("\(name).safetensors")) }

    /// Where a fixture lies.
    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// An array of floats, row-major.
    func floats(_ name: String) throws -> [Float] { try arrays.floats(name) }

    /// An array of integers, row-major.
    func integers(_ name: String) throws -> [Int] { try arrays.integers(name).map(Int.init) }

    /// The synthetic recording, in [-1, 1].
    func audio() throws -> [Float] { try arrays.shortIntegers("audio").map { Float($0) / 32_768 } }

    /// An array's shape.
    func shape(_ name: String) throws -> [Int] { try arrays.shape(name) }
}

/// The largest difference, as a share of the largest magnitude expected.
func relativeError(_ actual: [Float], _ expected: [Float]) -> Float { GoldenArrays.relativeError(actual, expected) }
