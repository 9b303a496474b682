internal import Foundation
internal import Inference
internal import Testing

@testable internal import Repartee

/// What `bench devices` compares, and by which measure.
@Suite(.timeLimit(.minutes(5))) struct DeviceBenchmarkTests {
    /// Random models of the language engine's tests.
    private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Reference/LanguageModels")

    @Test func `equal values have no error`() {
        let error = ResultError([1, -2, 3], [1, -2, 3])
        #expect(error.values == 3)
        #expect(error.rms == 0)
        #expect(error.largest == 0)
        #expect(ResultError([0, 0], [0, 0]).rms == 0)
    }

    @Test func `errors are shares of what is expected`() {
        let error = ResultError([3, 4.5], [3, 4])
        #expect(abs(error.rms - 0.1) < 1e-9)
        #expect(abs(error.largest - 0.125) < 1e-9)
    }

    @Test(arguments: [[], [1], [1, .nan], [1, .infinity]] as [[Float]])
    func `missing values and such that are no numbers are an infinite error`(values: [Float]) {
        #expect(ResultError(values, [1, 2]).rms == .greatestFiniteMagnitude)
        #expect(ResultError(values, [1, 2]).largest == .greatestFiniteMagnitude)
    }

    @Test func `agreement counts equal places of the longer list`() {
        #expect(DeviceBenchmark.agreement([1, 2, 3], [1, 2, 3]) == 1)
        #expect(DeviceBenchmark.agreement([1, 2], [1, 3, 2, 4]) == 0.25)
        #expect(DeviceBenchmark.agreement([Int](), []) == 1)
    }

    @Test(arguments: ["tiny-attention", "tiny-hybrid"])
    func `memory that is copied back gives the same scores`(model: String) throws {
        let path = Self.models.appendingPathComponent(model + ".gguf").path
        let scores = try LanguageModelScores(path: path, device: .cpu(), threads: 1, steps: 8, choices: nil)
        #expect(scores.choices.count == 8)
        #expect(scores.best == scores.choices)
        #expect(scores.first.count == scores.second.count)
        #expect(ResultError(scores.second, scores.first).rms < 1e-5)
        #expect(scores.copyTimes.count == 2)

        // Other tokens give other scores: the comparison sees what was read.
        let other = scores.choices.map { ($0 + 1) % 64 + 64 }
        let others = try LanguageModelScores(path: path, device: .cpu(), threads: 1, steps: 8, choices: other)
        #expect(others.choices == other)
        #expect(ResultError(others.first, scores.first).rms > 1e-2)
    }
}
