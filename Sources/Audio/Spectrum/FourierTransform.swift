#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Complex discrete Fourier transforms of one length, four at a time in the lanes of a vector.
///
/// Stockham's autosort algorithm with radices 5 and 4 (Van Loan, *Computational Frameworks for the Fast Fourier
/// Transform*, 1992, section 1.7): each pass writes its results in the order the next one reads.
package struct FourierTransform: Sendable {
    /// A complex number per lane.
    package struct Value: Sendable {
        /// The real parts.
        package var re: SIMD4<Float>
        /// The imaginary parts.
        package var im: SIMD4<Float>

        /// Makes a value.
        @inline(__always)
        package init(re: SIMD4<Float>, im: SIMD4<Float>) {
            self.re = re
            self.im = im
        }

        /// 0 in all lanes.
        package static let zero = Value(re: .zero, im: .zero)

        /// The sum.
        @inline(__always)
        package static func + (a: Value, b: Value) -> Value { Value(re: a.re + b.re, im: a.im + b.im) }
        /// The difference.
        @inline(__always)
        package static func - (a: Value, b: Value) -> Value { Value(re: a.re - b.re, im: a.im - b.im) }
        /// The product with a real number.
        @inline(__always)
        package static func * (a: Value, b: Float) -> Value { Value(re: a.re * b, im: a.im * b) }
        /// −i times the value.
        @inline(__always)
        var turned: Value { Value(re: im, im: -re) }
        @inline(__always)
        func multiplied(by w: Twiddle) -> Value { Value(re: re * w.re - im * w.im, im: re * w.im + im * w.re) }
    }

    /// A root of unity.
    struct Twiddle: Sendable {
        var re: Float
        var im: Float

        /// `e^(−2πi numerator / denominator)`.
        init(_ numerator: Int, over denominator: Int) {
            let angle = -2 * Double.pi * Double(numerator) / Double(denominator)
            (re, im) = (Float(cos(angle)), Float(sin(angle)))
        }
    }

    private struct Pass: Sendable {
        var radix: Int
        /// Values in a group lie `stride * groups` apart, and there are so many groups of `stride` transforms.
        var groups: Int
        var stride: Int
        /// `radix` of them per group; the first is 1.
        var twiddles: [Twiddle]
    }

    /// Points of a transform.
    package let length: Int
    private let passes: [Pass]

    /// Prepares transforms; nil when the length is not a product of fours and fives.
    package init?(length: Int) {
        self.length = length
        var passes: [Pass] = []
        var (rest, stride) = (length, 1)
        while rest > 1 {
            guard let radix = [5, 4].first(where: { rest % $0 == 0 }) else { return nil }
            let twiddles = (0..<rest).map { Twiddle($0 / radix * ($0 % radix), over: rest) }
            rest /= radix
            passes.append(Pass(radix: radix, groups: rest, stride: stride, twiddles: twiddles))
            stride *= radix
        }
        self.passes = passes
    }

    /// Transforms `values` in place; `scratch` has the same length.
    package func transform(_ values: inout [Value], _ scratch: inout [Value]) {
        for pass in passes {
            if pass.radix == 5 {
                Self.fifths(pass, values.span, &scratch)
            } else {
                Self.quarters(pass, values.span, &scratch)
            }
            swap(&values, &scratch)
        }
    }

    private static func quarters(_ pass: Pass, _ source: Span<Value>, _ target: inout [Value]) {
        var target = target.mutableSpan
        let distance = pass.stride * pass.groups
        for group in 0..<pass.groups {
            let twiddles = pass.twiddles.span.extracting((4 * group)..<(4 * group + 4))
            for lane in 0..<pass.stride {
                // In bounds: group < groups and lane < stride, and 4 · groups · stride is the length of both.
                let from = lane + pass.stride * group
                let to = lane + pass.stride * 4 * group
                let (a, c) = unsafe (source[unchecked: from], source[unchecked: from + 2 * distance])
                let (b, d) = unsafe (source[unchecked: from + distance], source[unchecked: from + 3 * distance])
                let (even, odd, turned) = (a + c, b + d, (b - d).turned)
                unsafe target[unchecked: to] = even + odd
                unsafe target[unchecked: to + pass.stride] = (a - c + turned).multiplied(by: twiddles[1])
                unsafe target[unchecked: to + 2 * pass.stride] = (even - odd).multiplied(by: twiddles[2])
                unsafe target[unchecked: to + 3 * pass.stride] = (a - c - turned).multiplied(by: twiddles[3])
            }
        }
    }

    private static func fifths(_ pass: Pass, _ source: Span<Value>, _ target: inout [Value]) {
        var target = target.mutableSpan
        let distance = pass.stride * pass.groups
        let (near, far) = (Twiddle(1, over: 5), Twiddle(2, over: 5))
        for group in 0..<pass.groups {
            let twiddles = pass.twiddles.span.extracting((5 * group)..<(5 * group + 5))
            for lane in 0..<pass.stride {
                // In bounds: group < groups and lane < stride, and 5 · groups · stride is the length of both.
                let from = lane + pass.stride * group
                let to = lane + pass.stride * 5 * group
                let (a, b) = unsafe (source[unchecked: from], source[unchecked: from + distance])
                let (c, d) = unsafe (source[unchecked: from + 2 * distance], source[unchecked: from + 3 * distance])
                let e = unsafe source[unchecked: from + 4 * distance]
                let (outer, inner, outerDifference, innerDifference) = (b + e, c + d, b - e, c - d)
                let first = a + outer * near.re + inner * far.re
                let second = a + outer * far.re + inner * near.re
                let firstTurned = (outerDifference * -near.im + innerDifference * -far.im).turned
                let secondTurned = (outerDifference * -far.im - innerDifference * -near.im).turned
                unsafe target[unchecked: to] = a + outer + inner
                unsafe target[unchecked: to + pass.stride] = (first + firstTurned).multiplied(by: twiddles[1])
                unsafe target[unchecked: to + 2 * pass.stride] = (second + secondTurned).multiplied(by: twiddles[2])
                unsafe target[unchecked: to + 3 * pass.stride] = (second - secondTurned).multiplied(by: twiddles[3])
                unsafe target[unchecked: to + 4 * pass.stride] = (first - firstTurned).multiplied(by: twiddles[4])
            }
        }
    }
}
