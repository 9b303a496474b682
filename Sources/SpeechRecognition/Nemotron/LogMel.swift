internal import Audio

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Stage 1: log-mel features, frame by frame as samples come, with the same result whatever the packets.
///
/// Preëmphasis over the whole stream; spectra of 512 samples every 10 ms, centred on multiples of the hop, under a symmetric
/// Hann window of 25 ms in their middle; powers; mel bands; ln(x + 2⁻²⁴). Before the stream lie zeros, and after its end.
/// Nothing is normalised, so a frame depends on no other, and each is computed once.
///
/// Source: NeMo `parts/preprocessing/features.py` (`FilterbankFeatures`, 2.6.0rc0 @ 8cfedd72), with `normalize: NA`,
/// `pad_to: 0`, `exact_pad: false` and no dither. A value: a fork of a stream copies it.
struct LogMel: Sendable {
    private let tables: LogMelTables
    /// Preëmphasised samples that frames to come still need.
    private var samples: [Float] = []
    /// Number of the first of ``samples`` in the stream; negative while it lies in the zeros before it.
    private var start: Int
    private var previous: Float = 0
    private var received = 0
    private var nextFrame = 0

    /// A front end at the beginning of a stream.
    init(_ tables: LogMelTables) {
        self.tables = tables
        start = -tables.reach
        samples = [Float](repeating: 0, count: tables.reach)
    }

    /// Samples fed since the beginning.
    var sampleCount: Int { received }
    /// Frames given since the beginning.
    var frameCount: Int { nextFrame }
    /// Samples that are kept for frames to come.
    var heldSamples: Int { samples.count }
    /// Values of a frame.
    var bands: Int { tables.filterbank.filters.count }

    /// Takes samples and appends the frames that they complete: frame i with sample 160 i + 199.
    /// - Parameters:
    ///   - new: mono, 16 kHz, in [-1, 1]; any count. What is not a finite number counts as 0.
    ///   - features: one row of ``bands`` values per frame is appended.
    mutating func feed(_ new: [Float], into features: inout [Float]) {
        samples.reserveCapacity(samples.count + new.count)
        for raw in new {
            let sample = raw.isFinite ? raw : 0
            samples.append(sample - tables.preemphasis * previous)
            previous = sample
        }
        received += new.count
        emit(upTo: received < tables.reach ? 0 : (received - tables.reach) / tables.hop + 1, into: &features)
    }

    /// Appends the frames that only the end of the audio completes: as many as whole hops were fed. The stream is over.
    mutating func flush(into features: inout [Float]) {
        let count = received / tables.hop
        let missing = count * tables.hop + tables.reach - received
        if missing > 0 { samples += [Float](repeating: 0, count: missing) }
        emit(upTo: count, into: &features)
    }

    private mutating func emit(upTo end: Int, into features: inout [Float]) {
        guard nextFrame < end else { return }
        while nextFrame < end {
            let lanes = min(LogMelTables.lanes, end - nextFrame)
            tables.append(lanes, of: samples, from: nextFrame * tables.hop - tables.reach - start, to: &features)
            nextFrame += lanes
        }
        let needless = min(samples.count, nextFrame * tables.hop - tables.reach - start)
        if needless > 0 {
            samples.removeFirst(needless)
            start += needless
        }
    }
}

/// What all log-mel front ends of a model share.
final class LogMelTables: Sendable {
    /// Frames that are computed at once.
    static let lanes = 4
    /// ln is taken of the sum with this, 2⁻²⁴.
    private static let floor: Float = 5.960_464_5e-8

    let hop: Int
    let preemphasis: Float
    let filterbank: MelFilterbank
    /// Samples before and after a frame's centre that its window covers.
    let reach: Int
    private let window: [Float]
    private let fourier: FourierTransform
    /// e^(−2πi k / length) for the bins of the whole spectrum.
    private let turns: [(re: Float, im: Float)]

    /// Makes the tables; nil when half the spectrum's length is no product of fours and fives, or the window is odd.
    init?(_ h: NemotronHyperparameters, filterbank: MelFilterbank) {
        guard h.fftLength % 2 == 0, h.windowLength % 2 == 0, let fourier = FourierTransform(length: h.fftLength / 2)
        else {
            return nil
        }
        hop = h.hopLength
        preemphasis = h.preemphasis
        self.filterbank = filterbank
        self.fourier = fourier
        reach = h.windowLength / 2
        let last = Double(h.windowLength - 1)
        window = (0..<h.windowLength).map { 0.5 - 0.5 * Float(cos(2 * Double.pi * Double($0) / last)) }
        turns = (0...(h.fftLength / 2)).map { bin in
            let angle = -2 * Double.pi * Double(bin) / Double(h.fftLength)
            return (re: Float(cos(angle)), im: Float(sin(angle)))
        }
    }

    /// Computes up to four frames and appends them.
    ///
    /// The real signal of 2n samples is transformed as n complex numbers, even samples being the real parts. Each frame has
    /// a lane of its own, so that no frame's rounding depends on which others are computed with it.
    func append(_ count: Int, of samples: [Float], from offset: Int, to features: inout [Float]) {
        var values = [FourierTransform.Value](repeating: .zero, count: fourier.length)
        var scratch = values
        // The window lies in the middle of the spectrum; where it starts only turns phases, so it may start at 0.
        for index in 0..<reach {
            let (even, odd) = (2 * index, 2 * index + 1)
            for lane in 0..<count {
                let start = offset + lane * hop
                values[index].re[lane] = samples[start + even] * window[even]
                values[index].im[lane] = samples[start + odd] * window[odd]
            }
        }
        fourier.transform(&values, &scratch)
        let powers = turns.indices.map { power(of: $0, values) }
        for lane in 0..<count {
            for filter in filterbank.filters {
                var sum: Float = 0
                for (index, weight) in filter.weights.enumerated() {
                    sum += weight * powers[filter.firstBin + index][lane]
                }
                features.append(log(sum + Self.floor))
            }
        }
    }

    /// |X(k)|² of the real signals from the transform Z of their halves: X = E + w O with E and O the parts of Z that are
    /// even and odd under conjugation and reversal.
    private func power(of bin: Int, _ z: [FourierTransform.Value]) -> SIMD4<Float> {
        let (a, b) = (z[bin % z.count], z[(z.count - bin) % z.count])
        let (evenRe, evenIm) = (0.5 * (a.re + b.re), 0.5 * (a.im - b.im))
        let (oddRe, oddIm) = (0.5 * (a.im + b.im), 0.5 * (b.re - a.re))
        let w = turns[bin]
        let re = evenRe + oddRe * w.re - oddIm * w.im
        let im = evenIm + oddRe * w.im + oddIm * w.re
        return re * re + im * im
    }
}
