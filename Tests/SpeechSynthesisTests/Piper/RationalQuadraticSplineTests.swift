internal import Inference
internal import Testing
internal import VoiceCore

@testable internal import SpeechSynthesis

@Suite struct RationalQuadraticSplineTests {
    private func spline(seed: UInt64) throws -> RationalQuadraticSpline {
        let h = try PiperHyperparameters(GGUFFile(path: PiperFixture.voice()))
        var noise = GaussianNoise(seed: seed)
        return RationalQuadraticSpline((0..<h.splineParameters).map { _ in 3 * noise.next() }[...], h)
    }

    @Test(arguments: 1...8) func `the inverse rises everywhere, and leaves what is beyond the tails alone`(
        seed: UInt64
    ) throws {
        let spline = try spline(seed: seed)
        let values = (-400...400).map { Float($0) / 100 }
        let results = values.map { spline.inverse($0) }
        for (before, after) in zip(results, results.dropFirst()) { #expect(before < after) }
        for (value, result) in zip(values, results) where abs(value) > 3 { #expect(value == result) }
        #expect(abs(spline.inverse(3) - 3) < 1e-5 && abs(spline.inverse(-3) + 3) < 1e-5)
    }

    @Test func `numbers that are none come out as such`() throws {
        let spline = try spline(seed: 1)
        #expect(spline.inverse(.nan).isNaN)
        #expect(spline.inverse(.infinity) == .infinity)
    }
}
