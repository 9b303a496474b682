internal import Foundation
internal import Inference
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import SpeechSynthesis

/// Every stage against the reference, which is onnxruntime's equal (Reference/SpeechSynthesis/PIPER.md).
@Suite struct PiperParityTests {
    /// The stages of a voice.
    private struct Stages {
        let h: PiperHyperparameters
        let weights: PiperWeights
        let stream: ComputeStream

        init(_ path: String, threads: Int = 1) throws {
            let file = try GGUFFile(path: path)
            h = try PiperHyperparameters(file)
            stream = try ComputeStream(on: .cpu(), threads: threads)
            weights = try PiperWeights(file, h, on: stream.device)
        }

        func encoded(_ ids: [Int32]) throws -> [Float] {
            let encoder = PiperTextEncoder(weights, on: stream)
            var x = try encoder.embed(ids)
            for layer in 0..<h.textLayers { x = try encoder.layer(layer, x) }
            return x
        }
    }

    @Test(arguments: [1, 2]) func `the text encoder gives the reference's vectors and statistics`(threads: Int) throws {
        let fixture = try PiperFixture()
        let stages = try Stages(PiperFixture.voice(), threads: threads)
        let x = try stages.encoded(fixture.ids())
        #expect(shareOfPeak(x, try fixture.arrays.floats("text")) < 1e-5)
        let statistics = try PiperTextEncoder(stages.weights, on: stages.stream).statistics(x)
        #expect(shareOfPeak(statistics.means, try fixture.arrays.floats("means")) < 1e-5)
        #expect(shareOfPeak(statistics.deviations, try fixture.arrays.floats("deviations")) < 1e-5)
    }

    @Test func `durations are the reference's`() throws {
        let fixture = try PiperFixture()
        let stages = try Stages(PiperFixture.voice())
        let text = try fixture.arrays.floats("text")
        var noise = GaussianNoise(seed: PiperFixture.seed)
        let numbers = (0..<(2 * text.count / stages.h.width)).map { _ in noise.next() * stages.h.durationNoiseScale }
        let predictor = PiperDurationPredictor(stages.weights, on: stages.stream)
        let logarithms = try predictor.logarithms(text, noise: numbers)
        #expect(shareOfPeak(logarithms, try fixture.arrays.floats("logarithms")) < 1e-4)
        let sentence = PiperSentence(logarithms: logarithms, means: [], deviations: [], stages.h)
        #expect(sentence.durations.map(Int32.init) == (try fixture.arrays.integers("durations")))
    }

    @Test func `the decoder makes the reference's samples of its frames`() throws {
        let fixture = try PiperFixture()
        let stages = try Stages(PiperFixture.voice())
        let frames = try fixture.arrays.floats("frames")
        var decoder = PiperDecoder(stages.weights, on: stages.stream)
        let length = frames.count / stages.h.width
        let samples = try decoder.run(0..<length, of: length, frames)
        #expect(shareOfPeak(samples, try fixture.arrays.floats("samples")) < 1e-5)
    }

    @Test func `the whole of it gives the reference's durations, frames and samples`() async throws {
        let fixture = try PiperFixture()
        let voice = try await PiperFixture.tiny()
        let stream = try voice.stream(of: fixture.ids(), seed: PiperFixture.seed)
        let durations = try await stream.durations()
        #expect(durations.map(Int32.init) == (try fixture.arrays.integers("durations")))
        let samples = try await stream.all([10_000])
        #expect(shareOfPeak(samples, try fixture.arrays.floats("samples")) < 1e-4)
    }

    /// 1e-3 of the peak in the spectrum is the aim; a tenth of it is met by the samples themselves.
    @Test(.enabled(if: PiperFixture.joeIsExpected, "run scripts/bootstrap to fetch the voice"), arguments: [1, 2])
    func `the released voice says what onnxruntime makes it say`(threads: Int) async throws {
        let path = PiperFixture.joe
        let fixture = try PiperFixture("piper-joe-golden.safetensors")
        let ids = try fixture.ids()
        let stages = try Stages(path, threads: threads)
        let x = try stages.encoded(ids)
        let width = stages.h.width
        #expect(shareOfPeak(Array(x[..<(4 * width)]), try fixture.arrays.floats("text")) < 1e-5)
        let voice = try await PiperVoice(path: path, configuration: PiperVoice.Configuration(threads: threads))
        let stream = try voice.stream(of: ids, seed: PiperFixture.seed)
        let durations = try await stream.durations()
        #expect(durations.map(Int32.init) == (try fixture.arrays.integers("durations")))
        let samples = try await stream.all([12, 16, 24, 32])
        let expected = try fixture.arrays.floats("samples")
        #expect(samples.count == durations.reduce(0, +) * voice.samplesPerFrame)
        #expect(shareOfPeak(samples, expected) < 1e-4)
        #expect(spectralDifference(samples, expected) < 1e-4)
    }
}

/// The difference of two sounds' short-time magnitude spectra (256 samples, Hann window, every 512), as a share of the second's: root
/// of the sums of squares.
func spectralDifference(_ actual: [Float], _ expected: [Float]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let length = 256
    let window = (0..<length).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(length)) }
    var (difference, sum) = (0.0, 0.0)
    for start in stride(from: 0, to: actual.count - length, by: 2 * length) {
        for bin in 0...(length / 2) {
            var parts = SIMD4<Double>()
            for index in 0..<length {
                let phase = 2 * Double.pi * Double(bin * index % length) / Double(length)
                let turn = SIMD2(cos(phase), sin(phase))
                let (one, two) = (Double(actual[start + index]), Double(expected[start + index]))
                parts.lowHalf += turn * one * window[index]
                parts.highHalf += turn * two * window[index]
            }
            let one = (parts.lowHalf * parts.lowHalf).sum().squareRoot()
            let two = (parts.highHalf * parts.highHalf).sum().squareRoot()
            difference += (one - two) * (one - two)
            sum += two * two
        }
    }
    return (difference / sum).squareRoot()
}
