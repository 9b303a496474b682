/// Makes speech a little shorter or longer without changing its pitch: takes out or repeats one period, with a cross-fade (the
/// overlap-add of Verhelst and Roelands 1993, "An overlap-add technique based on waveform similarity").
struct TimeStretch: Sendable {
    /// Where the voice repeats itself less than this, nothing is done (NetEq's `accelerate.cc` asks for 0.9 too).
    private static let similarity: Float = 0.9
    /// Amplitudes below this are silence, where nothing can be heard: -50 dB of full scale.
    private static let silence: Float = 0.003

    /// Periods of voices, 400 to 100 Hz, in samples.
    private let shortest: Int
    private let longest: Int
    /// Every how many samples to look when comparing.
    private let stride: Int

    /// For sound of so many samples per second.
    init(hertz: Int) {
        shortest = hertz / 400
        longest = hertz / 100
        stride = max(1, hertz / 8_000)
    }

    /// True when nothing is heard in `samples`.
    func isSilent(_ samples: [Float]) -> Bool {
        let energy = samples.reduce(0) { $0 + $1 * $1 }
        return energy <= Self.silence * Self.silence * Float(max(1, samples.count))
    }

    /// The samples without one period; the same when that would be heard.
    func shortened(_ samples: [Float]) -> [Float] {
        guard let period = period(of: samples) else { return samples }
        return fade(samples, from: 0, to: period, over: period) + samples[(2 * period)...]
    }

    /// The samples with one period twice; the same when that would be heard.
    func lengthened(_ samples: [Float]) -> [Float] {
        guard let period = period(of: samples) else { return samples }
        return samples[..<period] + fade(samples, from: period, to: 0, over: period) + samples[period...]
    }

    /// `count` samples that begin as those at `start` and end as those at `end`.
    private func fade(_ samples: [Float], from start: Int, to end: Int, over count: Int) -> [Float] {
        (0..<count).map { index in
            let weight = (Float(index) + 0.5) / Float(count)
            return samples[start + index] * (1 - weight) + samples[end + index] * weight
        }
    }

    /// The period with which the beginning of `samples` repeats itself, or any in silence; nil where there is none.
    private func period(of samples: [Float]) -> Int? {
        guard samples.count >= 2 * longest else { return nil }
        if isSilent(samples) { return longest }
        var best: (similarity: Float, period: Int)?
        for period in Swift.stride(from: shortest, through: longest, by: stride) {
            let similarity = similarity(of: samples, shiftedBy: period)
            if similarity > best?.similarity ?? Self.similarity { best = (similarity, period) }
        }
        return best?.period
    }

    /// The normalised correlation of the first ``longest`` samples with those `period` later.
    private func similarity(of samples: [Float], shiftedBy period: Int) -> Float {
        var (product, first, second): (Float, Float, Float) = (0, 1e-9, 1e-9)
        for index in Swift.stride(from: 0, to: longest, by: stride) {
            let (one, other) = (samples[index], samples[index + period])
            product += one * other
            first += one * one
            second += other * other
        }
        return product / (first * second).squareRoot()
    }
}
