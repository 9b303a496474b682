internal import CKernels
internal import Foundation
internal import Testing
internal import VoiceCore

@testable internal import Inference

/// Our own loops for causal convolutions, every kind that this machine runs, against sums in double precision.
@Suite struct CausalConvolutionTests {
    private static let kinds = (1...3).map(Int32.init).filter {
        let best = cc_best_kind()
        return $0 == best || ($0 == 1 && best == 2)
    }

    /// Those that convolve with F32 weights.
    private static let kindsOfSingles = Set(kinds + [Int32(cc_plain)]).sorted()

    private static func random(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in Float(Int(generator.next() % 2001) - 1000) / 1000 }
    }

    @Test(arguments: kindsOfSingles, [1, 5, 8, 12, 13, 31]) func `a convolution is exact but for rounding`(
        kind: Int32,
        columns: Int
    ) {
        for (inputs, outputs, taps, dilation) in [(5, 1, 3, 1), (27, 27, 7, 3), (16, 48, 2, 5), (3, 33, 1, 1)] {
            for half in [true, false] where !half || Self.kinds.contains(kind) {
                let weights = Self.random(taps * inputs * outputs, seed: 1).map { half ? Float(Float16($0)) : $0 }
                let groups = (outputs + 15) / 16
                let bias = Self.random(outputs, seed: 2) + [Float](repeating: 0, count: groups * 16 - outputs)
                let (history, streams) = ((taps - 1) * dilation, 2)
                let x = Self.random((history + columns) * inputs * streams, seed: 3)
                let residual = Self.random(outputs * columns * streams, seed: 4)
                var packed = [UInt8](repeating: 0, count: groups * 16 * inputs * taps * (half ? 2 : 4))
                let shape = (Int64(inputs), Int64(outputs), Int64(taps))
                if half {
                    cc_pack(shape.0, shape.1, shape.2, 2, weights.map { Float16($0) }, &packed)
                } else {
                    cc_pack(shape.0, shape.1, shape.2, 4, weights, &packed)
                }
                var y = [Float](repeating: .nan, count: residual.count)
                packed.withUnsafeBytes { packed in
                    bias.withUnsafeBufferPointer { bias in
                        var kernel = cc_kernel(
                            inputs: shape.0,
                            outputs: shape.1,
                            taps: shape.2,
                            dilation: Int64(dilation),
                            half: half ? 1 : 0,
                            weights: packed.baseAddress,
                            bias: bias.baseAddress
                        )
                        // As three threads would.
                        for part in 0..<3 as Range<Int64> {
                            cc_convolve(kind, &kernel, Int64(columns), Int64(streams), part, 3, x, residual, &y)
                        }
                    }
                }
                var worst = 0.0
                for stream in 0..<streams {
                    for column in 0..<columns {
                        for output in 0..<outputs {
                            let place = (stream * columns + column) * outputs + output
                            var sum = Double(bias[output]) + Double(residual[place])
                            for tap in 0..<taps {
                                let from = (stream * (history + columns) + column + tap * dilation) * inputs
                                for input in 0..<inputs {
                                    sum +=
                                        Double(weights[(output * inputs + input) * taps + tap])
                                        * Double(x[from + input])
                                }
                            }
                            worst = max(worst, abs(sum - Double(y[place])))
                        }
                    }
                }
                #expect(worst < 1e-5, "\(inputs) to \(outputs), \(taps) taps, half \(half)")
            }
        }
    }

    @Test(arguments: kinds, [0, 1, 15, 16, 100, 432]) func `half-snake follows its formula`(kind: Int32, count: Int) {
        let period = 48
        let alpha = Self.random(period, seed: 5).map { $0 < 0 ? 0 : 1 + $0 }
        let inverse = alpha.map { $0 == 0 ? 0 : 1 / $0 }
        let slope = alpha.map { $0 == 0 ? Float(0.01) : 1 }
        let x = Self.random(count, seed: 6).map { $0 * 50 }
        var y = [Float](repeating: .nan, count: count)
        cc_half_snake(kind, Int64(count), Int64(period), alpha, inverse, slope, x, &y)
        for index in 0..<count {
            let (value, phase) = (Double(x[index]), index % period)
            let rectified = value > 0 ? value : Double(slope[phase]) * value
            let sine = sin(Double(alpha[phase] * x[index]))
            let expected = rectified + Double(inverse[phase]) * sine * sine
            #expect(abs(expected - Double(y[index])) < 1e-5)
        }
    }

    @Test(arguments: kinds) func `the squared sine is right to six digits`(kind: Int32) {
        // One channel whose alpha and inverse are 1: what is added to x.
        let ones = [Float](repeating: 1, count: 16)
        let x = (0..<20_000).map { Float($0 - 10_000) / 1000 }
        var y = [Float](repeating: .nan, count: x.count)
        let zeros = [Float](repeating: 0, count: 16)
        // With slope 0, below zero nothing but the squared sine is left.
        cc_half_snake(kind, Int64(x.count), 16, ones, ones, zeros, x, &y)
        for index in 0..<10_000 { #expect(abs(pow(sin(Double(x[index])), 2) - Double(y[index])) < 3e-7) }
    }

    @Test(arguments: kinds, [1, 3, 16, 27]) func `a transposed convolution sees two inputs in two columns`(
        kind: Int32,
        outputs: Int
    ) {
        let (rate, columns, groups) = (4, 5, (outputs + 15) / 16)
        let weights = Self.random(groups * rate * 64, seed: 7)
        let bias = Self.random(groups * 16, seed: 8)
        let x = Self.random((columns + 1) * 2 * outputs, seed: 9)
        var y = [Float](repeating: .nan, count: outputs * rate * columns)
        for (first, last) in [(0, 2), (2, 2), (2, 5)] as [(Int64, Int64)] {
            cc_upsample(kind, Int64(outputs), Int64(rate), first, last, weights, bias, x, &y)
        }
        for column in 0..<columns {
            for phase in 0..<rate {
                for output in 0..<outputs {
                    let row = (output / 16 * rate + phase) * 64 + output % 16
                    let inputs = [0, 1].flatMap { age in [0, 1].map { x[((column + age) * outputs + output) * 2 + $0] }
                    }
                    let expected = (0..<4).reduce(bias[output]) { $0 + weights[row + $1 * 16] * inputs[$1] }
                    #expect(abs(expected - y[(column * rate + phase) * outputs + output]) < 1e-5)
                }
            }
        }
    }

    @Test func `a small convolution says which weights do not fit`() throws {
        let good = try SmallConvolution(weights: [1, 2, 3, 4], bias: [10], inputs: 2, taps: 2)
        // Columns (1, 2), (3, 4), (5, 6): inputs have the weights (1, 2) and (3, 4) in two columns.
        let sums: [Float] = [39, 59]
        #expect(good([1, 2, 3, 4, 5, 6], columns: 2) == sums)
        let bad: [(Int, Int, Int, Int)] = [(4, 2, 2, 2), (4, 0, 2, 2), (0, 1, 0, 2), (0, 1, 2, 0)]
        for (weights, bias, inputs, taps) in bad {
            let error = #expect(throws: VoiceError.self) {
                _ = try SmallConvolution(
                    weights: Self.random(weights, seed: 1),
                    bias: Self.random(bias, seed: 1),
                    inputs: inputs,
                    taps: taps
                )
            }
            #expect(error?.code == .fault)
        }
    }
}
