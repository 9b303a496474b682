internal import Foundation
internal import Testing

@testable internal import Audio

@Suite struct FourierTransformTests {
    @Test(arguments: [4, 5, 16, 20, 100, 400]) func `a transform equals its definition`(length: Int) throws {
        let transform = try #require(FourierTransform(length: length))
        let signal = (0..<length).map { index in
            let angle = Double(index)
            let re = SIMD4<Float>(1, Float(index % 7), Float(sin(angle)), index == 1 ? 1 : 0)
            let im = SIMD4<Float>(0, Float(index % 3), Float(cos(2 * angle)), 0)
            return FourierTransform.Value(re: re, im: im)
        }
        var (values, scratch) = (signal, signal)
        transform.transform(&values, &scratch)
        for frequency in 0..<length {
            for lane in 0..<4 {
                var (re, im) = (0.0, 0.0)
                for (index, value) in signal.enumerated() {
                    let angle = -2 * Double.pi * Double(frequency * index % length) / Double(length)
                    let (a, b) = (Double(value.re[lane]), Double(value.im[lane]))
                    re += a * cos(angle) - b * sin(angle)
                    im += a * sin(angle) + b * cos(angle)
                }
                #expect(abs(Double(values[frequency].re[lane]) - re) < 1e-5 * Double(length))
                #expect(abs(Double(values[frequency].im[lane]) - im) < 1e-5 * Double(length))
            }
        }
    }

    @Test(arguments: [2, 3, 8, 401]) func `a length that is no product of fours and fives is refused`(length: Int) {
        #expect(FourierTransform(length: length) == nil)
    }
}
