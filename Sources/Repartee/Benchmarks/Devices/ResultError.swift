/// How far computed values are from those expected.
struct ResultError: Encodable, Equatable, CustomStringConvertible {
    /// Values compared.
    var values: Int
    /// The root of the mean square of the differences, as a share of that of the values expected.
    var rms: Double
    /// The largest difference, as a share of the largest magnitude expected.
    var largest: Double

    /// Compares. Another number of values, or one that is not finite, is an infinite error.
    init(_ actual: [Float], _ expected: [Float]) {
        values = expected.count
        guard actual.count == expected.count, actual.allSatisfy(\.isFinite) else {
            (rms, largest) = (.greatestFiniteMagnitude, .greatestFiniteMagnitude)
            return
        }
        var (squares, expectedSquares, difference, magnitude) = (0.0, 0.0, 0.0, 0.0)
        for (a, b) in zip(actual, expected) {
            let distance = abs(Double(a) - Double(b))
            squares += distance * distance
            expectedSquares += Double(b) * Double(b)
            difference = max(difference, distance)
            magnitude = max(magnitude, abs(Double(b)))
        }
        rms = squares == 0 ? 0 : (squares / max(expectedSquares, .leastNormalMagnitude)).squareRoot()
        largest = difference == 0 ? 0 : difference / max(magnitude, .leastNormalMagnitude)
    }

    var description: String { "\(Float(rms)) rms, \(Float(largest)) at most" }
}
