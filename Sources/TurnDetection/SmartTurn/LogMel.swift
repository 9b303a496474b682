internal import Audio

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Stage 1: Whisper's log-mel features of the last seconds of a turn.
///
/// A shorter turn is preceded by zeros. The whole buffer, zeros included, is shifted and scaled to mean 0 and variance 1;
/// then power spectra under a periodic Hann window, centred on every hop, the ends mirrored; mel bands; log₁₀, floored at
/// 1e-10 and at 8 below the maximum; (x + 4) / 4.
///
/// Source: Hugging Face transformers `WhisperFeatureExtractor` (`chunk_length=8`, `do_normalize=True`), as used by
/// Pipecat 1.14 `audio/turn/smart_turn/_whisper_features.py`. Not `Sendable`: it keeps its buffers.
package final class LogMel {
    private let hyperparameters: SmartTurnHyperparameters
    private let fourier: FourierTransform
    private let window: [Float]
    private let filterbank: MelFilterbank
    /// The normalised samples with half a window mirrored at each end, and room for the lanes of the last batch.
    private var samples: [Float]
    private var buffer: [FourierTransform.Value]
    private var scratch: [FourierTransform.Value]
    private var powers: [Powers]
    private var result: [Float]

    /// Powers of eight frames in one frequency bin.
    private struct Powers {
        var first: SIMD4<Float>
        var second: SIMD4<Float>
    }

    /// Frames per batch: two real frames in each complex transform, four transforms in the lanes.
    private static let batch = 8
    /// Below it a band counts as silent.
    private static let floor: Float = 1e-10
    /// Added to the variance.
    private static let epsilon = 1e-7

    /// Prepares the tables; nil when the window's length is not a product of fours and fives.
    package init?(_ hyperparameters: SmartTurnHyperparameters) {
        let h = hyperparameters
        guard let fourier = FourierTransform(length: h.fftLength) else { return nil }
        self.hyperparameters = h
        self.fourier = fourier
        window = (0..<h.fftLength).map { 0.5 - 0.5 * Float(cos(2 * Double.pi * Double($0) / Double(h.fftLength))) }
        filterbank = MelFilterbank(count: h.melBins, fftLength: h.fftLength, sampleRate: h.sampleRate)
        samples = [Float](repeating: 0, count: h.maximumSamples + h.fftLength + Self.batch * h.hopLength)
        buffer = [FourierTransform.Value](repeating: .zero, count: h.fftLength)
        scratch = buffer
        powers = [Powers](repeating: Powers(first: .zero, second: .zero), count: h.fftLength / 2 + 1)
        result = [Float](repeating: 0, count: h.melBins * h.frames)
    }

    /// The features of a turn.
    /// - Parameter turn: mono, 16 kHz, in [-1, 1].
    /// - Returns: shape [frames, melBins], the first fastest; one frame per 10 ms.
    package func features(of turn: [Float]) -> [Float] {
        normalise(turn)
        var maximum = log10(Self.floor)
        for frame in stride(from: 0, to: hyperparameters.frames, by: Self.batch) {
            Self.load(
                samples,
                from: frame * hyperparameters.hopLength,
                hyperparameters.hopLength,
                window,
                into: &buffer
            )
            fourier.transform(&buffer, &scratch)
            Self.separate(buffer, into: &powers)
            maximum = max(maximum, writeBands(of: frame))
        }
        let bottom = maximum - 8
        for index in result.indices { result[index] = (max(result[index], bottom) + 4) / 4 }
        return result
    }

    private func normalise(_ turn: [Float]) {
        let (length, margin) = (hyperparameters.maximumSamples, hyperparameters.fftLength / 2)
        let turn = turn.suffix(length)
        var (sum, squares) = (0.0, 0.0)
        for sample in turn { sum += Double(sample) }
        let mean = sum / Double(length)
        for sample in turn { squares += (Double(sample) - mean) * (Double(sample) - mean) }
        let silence = length - turn.count
        squares += Double(silence) * mean * mean
        let scale = 1 / (squares / Double(length) + Self.epsilon).squareRoot()

        for index in 0..<silence { samples[margin + index] = Float(-mean * scale) }
        var index = margin + silence
        for sample in turn {
            samples[index] = (sample - Float(mean)) * Float(scale)
            index += 1
        }
        for distance in 1...margin {
            samples[margin - distance] = samples[margin + distance]
            samples[margin + length - 1 + distance] = samples[margin + length - 1 - distance]
        }
    }

    /// Puts eight frames under the window: the first four as real parts, the others as imaginary parts.
    private static func load(
        _ samples: [Float],
        from start: Int,
        _ hop: Int,
        _ window: [Float],
        into buffer: inout [FourierTransform.Value]
    ) {
        for index in window.indices {
            let first = start + index
            let second = first + 4 * hop
            let re = SIMD4(samples[first], samples[first + hop], samples[first + 2 * hop], samples[first + 3 * hop])
            let im = SIMD4(samples[second], samples[second + hop], samples[second + 2 * hop], samples[second + 3 * hop])
            buffer[index] = FourierTransform.Value(re: re, im: im) * window[index]
        }
    }

    /// The powers of the two real signals in each transform: with Z = A + iB, A and B are Z's parts that are even and odd
    /// under conjugation and reversal.
    private static func separate(_ values: [FourierTransform.Value], into powers: inout [Powers]) {
        for bin in powers.indices {
            let mirrored = bin == 0 ? 0 : values.count - bin
            let (sum, difference) = (values[bin] + values[mirrored], values[bin] - values[mirrored])
            powers[bin] = Powers(
                first: (sum.re * sum.re + difference.im * difference.im) * 0.25,
                second: (sum.im * sum.im + difference.re * difference.re) * 0.25
            )
        }
    }

    /// Sums the powers of eight frames into bands and writes their logarithms; returns the greatest.
    private func writeBands(of frame: Int) -> Float {
        let frames = hyperparameters.frames
        let lanes = min(Self.batch, frames - frame)
        var maximum = -Float.infinity
        for (band, filter) in filterbank.filters.enumerated() {
            let sums = Self.sum(powers, under: filter)
            for lane in 0..<lanes {
                let value = log10(max(Self.floor, lane < 4 ? sums.first[lane] : sums.second[lane - 4]))
                result[band * frames + frame + lane] = value
                maximum = max(maximum, value)
            }
        }
        return maximum
    }

    private static func sum(_ powers: [Powers], under filter: MelFilterbank.Filter) -> Powers {
        var sums = Powers(first: .zero, second: .zero)
        for (offset, weight) in filter.weights.enumerated() {
            let power = powers[filter.firstBin + offset]
            sums.first += power.first * weight
            sums.second += power.second * weight
        }
        return sums
    }
}
