internal import CKernels
internal import Foundation
internal import Synchronization
internal import VoiceCore

/// The filter of a ``Resampler``: a Kaiser-windowed sinc, sampled once per phase.
///
/// Row p holds the weights of the `2 * halfLength` input samples around an output sample that lies p / phaseCount of the
/// way from one input sample to the next. Each row is scaled to a sum of 1, so that a constant stays that constant.
struct PolyphaseFilter: Sendable {
    /// Length of the impulse response on either side, in samples of the lower rate.
    static let reach = 40
    /// Stop band attenuation in dB.
    static let attenuation = 72.0
    /// Edge of the pass band as a share of the lower rate's Nyquist frequency.
    static let passBand = 0.9
    /// A ratio with more phases than this is served by interpolating linearly between so many (error below -95 dB).
    static let maximumPhases = 640

    /// Input samples on either side of an output sample that the filter looks at; a multiple of 4.
    let halfLength: Int
    /// Floats per row: a multiple of `rs_group`.
    private var rowLength: Int { 2 * halfLength }
    private let up: Int
    private let phaseCount: Int
    private let interpolates: Bool
    /// Row-major, [phaseCount (+ 1 when interpolating), rowLength].
    private let weights: [Float]

    /// Filters between usual rates, which all streams share: a table may have 100 kB, and takes milliseconds to design.
    private static let shared = Mutex<[[Int]: PolyphaseFilter]>([:])
    /// Rates that are usual, in hertz. Others may come from outside in any number, so those filters are not kept.
    private static let usualRates: Set<Int> = [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]

    /// The filter from one rate to another, `up` output samples for `down` input samples.
    static func between(_ input: SampleRate, _ output: SampleRate, up: Int, down: Int) -> PolyphaseFilter {
        guard usualRates.isSuperset(of: [input.hertz, output.hertz]) else { return PolyphaseFilter(up: up, down: down) }
        if let filter = shared.withLock({ $0[[up, down]] }) { return filter }
        let filter = PolyphaseFilter(up: up, down: down)
        shared.withLock { $0[[up, down]] = filter }
        return filter
    }

    init(up: Int, down: Int) {
        // Relative to the input rate: 1 when the rate rises, up / down when it falls.
        let lowerRate = min(1, Double(up) / Double(down))
        halfLength = (Int((Double(Self.reach) / lowerRate).rounded(.up)) + 3) / 4 * 4
        self.up = up
        interpolates = up > Self.maximumPhases
        phaseCount = interpolates ? Self.maximumPhases : up
        weights = Self.design(
            rows: phaseCount + (interpolates ? 1 : 0),
            phaseCount: phaseCount,
            halfLength: halfLength,
            lowerRate: lowerRate
        )
    }

    /// Kaiser's formulas: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS
    /// 1974; as in Oppenheim & Schafer, "Discrete-Time Signal Processing", eqs. 7.75 and 7.76.
    private static func design(rows: Int, phaseCount: Int, halfLength: Int, lowerRate: Double) -> [Float] {
        let reach = Double(Self.reach) / lowerRate  // input samples
        let beta = 0.1102 * (attenuation - 8.7)
        let transition = (attenuation - 7.95) / (14.36 * 2 * Double(Self.reach))  // cycles per lower-rate sample
        let cutoff = lowerRate * (passBand / 2 + transition / 2)  // cycles per input sample
        return (0..<rows).flatMap { row in
            let fraction = Double(row) / Double(phaseCount)
            let taps = (0..<2 * halfLength).map { tap in
                let distance = Double(tap - (halfLength - 1)) - fraction
                return sinc(2 * cutoff * distance) * kaiser(distance / reach, beta: beta)
            }
            let sum = taps.reduce(0, +)
            return taps.map { Float($0 / sum) }
        }
    }

    /// Computes output samples that lie `down` / `up` input samples apart.
    /// - Parameters:
    ///   - output: where they go, as many as fit.
    ///   - samples: the input; all windows lie within it.
    ///   - start: where the window of the first one begins.
    ///   - phase: how far the first one lies behind an input sample, in units of 1 / `up`.
    ///   - down: what each next one is further.
    func fill(
        _ output: UnsafeMutableBufferPointer<Float>,
        from samples: borrowing Span<Float>,
        at start: Int,
        phase: Int,
        every down: Int
    ) {
        guard let first = output.baseAddress, output.count > 0 else { return }
        let end = start + (phase + (output.count - 1) * down) / up + rowLength
        precondition(start >= 0 && end <= samples.count, "the windows lie within the history")
        let (step, fraction) = down.quotientAndRemainder(dividingBy: up)
        unsafe samples.withUnsafeBufferPointer { samples in
            unsafe weights.withUnsafeBufferPointer { weights in
                guard let x = samples.baseAddress, let rows = weights.baseAddress else { return }
                guard interpolates else {
                    return unsafe rs_resample(
                        Int64(rowLength),
                        Int64(up),
                        rows,
                        Int64(step),
                        Int64(fraction),
                        Int64(start),
                        Int64(phase),
                        x,
                        Int64(output.count),
                        first
                    )
                }
                for index in output.indices {
                    let (whole, part) = (phase + index * down).quotientAndRemainder(dividingBy: up)
                    let (row, rest) = (part * phaseCount).quotientAndRemainder(dividingBy: up)
                    let share = Float(rest) / Float(up)
                    var (before, after) = (Float(0), Float(0))
                    let window = unsafe x + start + whole
                    unsafe rs_resample(Int64(rowLength), 1, rows + row * rowLength, 0, 0, 0, 0, window, 1, &before)
                    unsafe rs_resample(Int64(rowLength), 1, rows + (row + 1) * rowLength, 0, 0, 0, 0, window, 1, &after)
                    unsafe output[index] = (1 - share) * before + share * after
                }
            }
        }
    }
}

private func sinc(_ x: Double) -> Double {
    abs(x) < 1e-12 ? 1 : sin(.pi * x) / (.pi * x)
}

/// Kaiser's window at `position` in (-1, 1); 0 outside and on the border, which keeps the filter symmetric.
private func kaiser(_ position: Double, beta: Double) -> Double {
    guard abs(position) < 1 else { return 0 }
    return besselI0(beta * (1 - position * position).squareRoot()) / besselI0(beta)
}

/// The modified Bessel function of the first kind, order 0, by its power series (Abramowitz & Stegun 9.6.12).
private func besselI0(_ x: Double) -> Double {
    let quarter = x * x / 4
    var term = 1.0
    var sum = 1.0
    var k = 1.0
    while term > 1e-17 * sum {
        term *= quarter / (k * k)
        sum += term
        k += 1
    }
    return sum
}
