internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Audio

@Suite struct ResamplerTests {
    static let rates = [
        (8_000, 16_000), (16_000, 8_000), (16_000, 48_000), (48_000, 16_000), (24_000, 16_000), (44_100, 16_000),
        (16_000, 22_050), (11_025, 48_000), (96_000, 44_100),
    ]

    @Test(arguments: rates)
    func `agrees with scipy's polyphase filter`(input: Int, output: Int) throws {
        let noise = try fixture("noise")
        let golden = try fixture("resampler_\(input)_\(output)")
        let ours = Resampler.convert(noise, from: SampleRate(input), to: SampleRate(output))
        #expect(ours.count == (noise.count * output + input - 1) / input)
        #expect(largestDifference(ours, Array(golden.prefix(ours.count))) < 2e-6)
    }

    @Test(arguments: rates)
    func `agrees with soxr in the pass band`(input: Int, output: Int) throws {
        let noise = try fixture("noise")
        let golden = try fixture("resampler_\(input)_\(output)").dropFirst((noise.count * output + input - 1) / input)
        let sweep = Array(golden.prefix(input * 40 / 1000))
        let expected = Array(golden.dropFirst(sweep.count))
        let ours = Resampler.convert(sweep, from: SampleRate(input), to: SampleRate(output))
        #expect(abs(ours.count - expected.count) <= 1)
        let common = min(ours.count, expected.count)
        #expect(largestDifference(Array(ours.prefix(common)), Array(expected.prefix(common))) < 1e-3)
    }

    @Test(arguments: [(16_000, 48_000), (48_000, 16_000), (44_100, 16_000), (11_025, 48_000), (44_099, 16_000)])
    func `the output does not depend on the chunks, bit for bit`(input: Int, output: Int) {
        var generator = SplitMix(seed: 3)
        let samples = (0..<1_500).map { _ in generator.sample() }
        let whole = Resampler.convert(samples, from: SampleRate(input), to: SampleRate(output))
        var resampler = Resampler(from: SampleRate(input), to: SampleRate(output))
        for round in 0..<2 {
            var pieces: [Float] = []
            var fed = 0
            while fed < samples.count {
                let length = min(
                    Int(generator.next() % 300) * (round % 2) + Int(generator.next() % 4),
                    samples.count - fed
                )
                pieces += resampler.feed(Array(samples[fed..<fed + length]))
                fed += length
                #expect(pieces.count == resampler.outputCount(afterFeeding: fed))
            }
            pieces += resampler.flush()
            #expect(pieces.count == resampler.outputCount(ofStream: fed))
            #expect(pieces == whole)
        }
    }

    @Test(arguments: rates)
    func `a tone in the pass band keeps level and phase`(input: Int, output: Int) {
        let nyquist = Double(min(input, output)) / 2
        for share in [0.01, 0.3, 0.7, 0.9] {
            let frequency = share * nyquist
            let ours = Resampler.convert(tone(frequency, input), from: SampleRate(input), to: SampleRate(output))
            let ideal = tone(frequency, output)
            // Away from the ends, where the tone starts and stops abruptly.
            let steady = output / 50..<min(ours.count, ideal.count) - output / 50
            let noise = zip(ours[steady], ideal[steady]).map { Double($0 - $1) }
            let ratio = 10 * log10(power(ideal[steady].map(Double.init)) / power(noise))
            #expect(ratio > (share < 0.9 ? 66 : 60), "\(frequency) Hz")
        }
    }

    @Test(arguments: rates.filter { $0.0 > $0.1 })
    func `a tone beyond the new Nyquist frequency does not come back as an alias`(input: Int, output: Int) {
        for share in [1.015, 1.1, 1.3, 1.8] where share * Double(output) < Double(input) {
            let source = tone(share * Double(output) / 2, input)
            let ours = Resampler.convert(source, from: SampleRate(input), to: SampleRate(output))
            let steady = output / 50..<ours.count - output / 50
            let rejection = 10 * log10(power(source.map(Double.init)) / power(ours[steady].map(Double.init)))
            #expect(rejection > 70, "\(share)")
        }
    }

    @Test(arguments: rates.filter { $0.0 < $0.1 })
    func `a raised rate has no images`(input: Int, output: Int) {
        // What is left after taking the tone itself out of the result is images, at input - frequency and beyond.
        let frequency = 0.8 * Double(input) / 2
        let ours = Resampler.convert(tone(frequency, input), from: SampleRate(input), to: SampleRate(output))
        let steady = Array(ours[output / 50..<ours.count - output / 50])
        let image = amplitude(of: steady, at: Double(input) - frequency, rate: output)
        #expect(20 * log10(image / amplitude(of: steady, at: frequency, rate: output)) < -70)
    }

    @Test func `a constant stays that constant`() {
        let ours = Resampler.convert([Float](repeating: 0.5, count: 4_410), from: SampleRate(44_100), to: .speech)
        #expect(ours[100..<1_500].allSatisfy { abs($0 - 0.5) < 1e-5 })
    }

    @Test func `the delay between 16 and 48 kHz is two and a half milliseconds`() {
        #expect(Resampler(from: .speech, to: .wideband).delay == .microseconds(2_500))
        #expect(Resampler(from: .wideband, to: .speech).delay == .microseconds(2_500))
    }

    @Test func `equal rates pass through untouched and at once`() {
        var resampler = Resampler(from: .speech, to: .speech)
        #expect(resampler.lookahead == 0)
        #expect(resampler.feed([0.1, -0.2, .infinity]) == [0.1, -0.2, .infinity])
        #expect(resampler.flush().isEmpty)
    }

    @Test func `after reset a stream is as good as new`() {
        let samples = tone(440, 16_000)
        var resampler = Resampler(from: .speech, to: .wideband)
        let fresh = resampler.feed(samples)
        resampler.reset()
        #expect(resampler.feed(samples) == fresh)
    }

    @Test func `a stream of nothing is nothing`() {
        var resampler = Resampler(from: .wideband, to: .speech)
        #expect(resampler.feed([]).isEmpty)
        #expect(resampler.flush().isEmpty)
        #expect(Resampler.convert([1], from: .speech, to: .wideband).count == 3)
    }

    @Test func `a not-a-number spoils its neighbourhood only`() {
        var samples = tone(440, 16_000)
        samples[800] = .nan
        let ours = Resampler.convert(samples, from: .speech, to: .wideband)
        let spoiled = ours.indices.filter { ours[$0].isNaN }
        #expect(spoiled.count <= 6 * 40)
        #expect(spoiled.allSatisfy { abs($0 - 2_400) <= 120 })
    }
}

/// A tenth of a second of a sine of amplitude 0.5.
private func tone(_ frequency: Double, _ rate: Int) -> [Float] {
    (0..<rate / 10).map { Float(0.5 * sin(2 * .pi * frequency * Double($0) / Double(rate))) }
}

private func power(_ samples: [Double]) -> Double {
    samples.reduce(1e-20) { $0 + $1 * $1 } / Double(max(1, samples.count))
}

/// The amplitude of one frequency under a Blackman window, whose side lobes lie below -90 dB at some distance.
private func amplitude(of samples: [Float], at frequency: Double, rate: Int) -> Double {
    var real = 0.0
    var imaginary = 0.0
    for (index, sample) in samples.enumerated() {
        let turn = 2 * .pi * Double(index) / Double(samples.count)
        let window = 0.42 - 0.5 * cos(turn) + 0.08 * cos(2 * turn)
        let angle = 2 * .pi * frequency * Double(index) / Double(rate)
        real += window * Double(sample) * cos(angle)
        imaginary += window * Double(sample) * sin(angle)
    }
    return (real * real + imaginary * imaginary).squareRoot() / (0.42 * Double(samples.count) / 2)
}

private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

/// A small seeded generator (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A sample in [-1, 1).
    mutating func sample() -> Float { Float.random(in: -1..<1, using: &self) }
}

/// Little-endian float32 values of a file in `Fixtures`.
func fixture(_ name: String) throws -> [Float] {
    let url = try #require(Bundle.module.url(forResource: name, withExtension: "f32", subdirectory: "Fixtures"))
    let bytes = [UInt8](try Data(contentsOf: url))
    return stride(from: 0, to: bytes.count, by: 4).map { offset in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) })
    }
}
