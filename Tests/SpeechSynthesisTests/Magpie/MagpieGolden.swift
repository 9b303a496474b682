internal import Foundation
internal import Testing
internal import VoiceTesting

/// The golden data of the tiny Magpie model, beside the GGUF file they were computed from.
struct MagpieGolden {
    private let arrays: GoldenArrays

    /// Reads the fixture.
    init() throws { arrays = try GoldenArrays(path: Self.path("magpie-golden.safetensors")) }

    /// The model that the data are of.
    static let model = "magpie-tiny.gguf"

    /// Where a fixture lies.
    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")).path
    }

    /// An array of floats, row-major.
    func floats(_ name: String) throws -> [Float] { try arrays.floats(name) }

    /// An array of integers, row-major.
    func integers(_ name: String) throws -> [Int32] { try arrays.integers(name) }

    /// The rows of a matrix of floats.
    func rows(_ name: String) throws -> [[Float]] { Self.rows(try floats(name), try width(name)) }

    /// The rows of a matrix of integers.
    func integerRows(_ name: String) throws -> [[Int32]] { Self.rows(try integers(name), try width(name)) }

    private func width(_ name: String) throws -> Int { try #require(try arrays.shape(name).last) }

    private static func rows<Value>(_ values: [Value], _ width: Int) -> [[Value]] {
        stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
    }

    /// The largest difference, as a share of the largest magnitude expected.
    static func error(_ actual: [Float], _ expected: [Float]) -> Float { GoldenArrays.relativeError(actual, expected) }
}
