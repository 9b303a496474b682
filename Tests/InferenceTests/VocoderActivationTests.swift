internal import CKernels
internal import Foundation
internal import Testing
internal import VoiceCore

/// Our own loops for a vocoder's activations, every kind that this machine runs, against double precision.
@Suite struct VocoderActivationTests {
    private static let kinds = (1...3).map(Int32.init).filter {
        let best = cc_best_kind()
        return $0 == best || ($0 == 1 && best == 2)
    }

    @Test(arguments: kinds, [1, 15, 16, 17, 48, 1000]) func `a gate is tanh times sigmoid, also far out`(
        kind: Int32,
        channels: Int
    ) {
        let columns = 3
        let x = (0..<(2 * channels * columns)).map { index in
            Float(sin(Double(index) * 0.7) * pow(10, Double(index % 5) - 2))
        }
        var y = [Float](repeating: .nan, count: channels * columns)
        va_gate(kind, Int64(channels), Int64(columns), x, &y)
        for column in 0..<columns {
            for channel in 0..<channels {
                let a = Double(x[2 * column * channels + channel])
                let b = Double(x[(2 * column + 1) * channels + channel])
                #expect(abs(Double(y[column * channels + channel]) - tanh(a) / (1 + exp(-b))) < 3e-7)
            }
        }
    }

    @Test(arguments: kinds, [1, 16, 31, 160]) func `a rectified sum keeps a share of what is below zero`(
        kind: Int32,
        count: Int
    ) {
        let terms = (0..<3).map { term in (0..<count).map { Float(sin(Double($0 + 17 * term))) } }
        for used in 1...3 {
            var y = [Float](repeating: .nan, count: count)
            terms[0].withUnsafeBufferPointer { a in
                terms[1].withUnsafeBufferPointer { b in
                    terms[2].withUnsafeBufferPointer { c in
                        let pointers = [a.baseAddress, b.baseAddress, c.baseAddress]
                        va_leaky_sum(kind, Int64(count), Int64(used), pointers, 0.25, 0.1, &y)
                    }
                }
            }
            for index in 0..<count {
                let sum = 0.25 * terms[..<used].reduce(0.0) { $0 + Double($1[index]) }
                #expect(abs(Double(y[index]) - (sum > 0 ? sum : 0.1 * sum)) < 1e-6)
            }
        }
    }
}
