internal import Foundation
internal import VoiceCore

/// A monotonic function between ±tail, made of pieces that are ratios of quadratics; beyond, numbers stay as they are.
///
/// Source: Durkan, Bekasov, Murray and Papamakarios, "Neural spline flows" (arXiv 1906.04032), section 3.1 and appendix A.2;
/// the smallest widths, heights and slopes are those of jaywalnut310/vits @ 2e561ba, `transforms.py`.
struct RationalQuadraticSpline {
    /// Borders between pieces, first and last included; slopes there.
    private let x: [Double]
    private let y: [Double]
    private let slopes: [Double]
    private let tail: Double

    private static let smallestSide = 1e-3
    private static let smallestSlope = 1e-3

    /// Reads a spline's parameters: logits of widths, of heights, and slopes between the pieces before softplus.
    init(_ parameters: ArraySlice<Float>, _ h: PiperHyperparameters) {
        let all = parameters.map(Double.init)
        // What goes through a softmax is scaled down by the root of the network's width (`ConvFlow`).
        let divisor = Double(h.width).squareRoot()
        tail = Double(h.tail)
        x = Self.borders(all[..<h.bins].map { $0 / divisor }, tail)
        y = Self.borders(all[h.bins..<(2 * h.bins)].map { $0 / divisor }, tail)
        // At the ends the slope is that of the lines beyond.
        slopes = [1] + all[(2 * h.bins)...].map { Self.smallestSlope + Self.softplus($0) } + [1]
    }

    /// Where the function has this value.
    func inverse(_ value: Float) -> Float {
        let value = Double(value)
        guard abs(value) <= tail, let last = y.indices.dropLast().last(where: { y[$0] <= value }) else {
            return Float(value)
        }
        let (width, height) = (x[last + 1] - x[last], y[last + 1] - y[last])
        let slope = height / width
        let (rise, bend) = (value - y[last], slopes[last] + slopes[last + 1] - 2 * slope)
        // a t² + b t + c = 0 for t, the share of the piece.
        let a = rise * bend + height * (slope - slopes[last])
        let b = height * slopes[last] - rise * bend
        let c = -slope * rise
        let discriminant = max(0, b * b - 4 * a * c)
        return Float(2 * c / (-b - discriminant.squareRoot()) * width + x[last])
    }

    private static func borders(_ logits: [Double], _ tail: Double) -> [Double] {
        let largest = logits.max() ?? 0
        let powers = logits.map { Foundation.exp($0 - largest) }
        let sum = powers.reduce(0, +)
        let free = 1 - smallestSide * Double(logits.count)
        var borders = [-tail]
        var total = 0.0
        for power in powers {
            total += smallestSide + free * power / sum
            borders.append(2 * tail * total - tail)
        }
        borders[logits.count] = tail
        return borders
    }

    private static func softplus(_ value: Double) -> Double {
        max(value, 0) + log1p(Foundation.exp(-abs(value)))
    }
}
