#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Triangles of equal area along Slaney's mel scale, from 0 Hz to half the sample rate.
///
/// Source: Slaney, *Auditory Toolbox*, 1998; the values are those of `librosa.filters.mel(htk=False, norm="slaney")`.
struct MelFilterbank {
    /// One triangle: its weights from `firstBin` on. Empty when it lies between two bins.
    struct Filter {
        var firstBin: Int
        var weights: [Float]
    }

    let filters: [Filter]

    /// Makes `count` filters over the bins of a spectrum of `fftLength` points.
    init(count: Int, fftLength: Int, sampleRate: Int) {
        let top = Self.mel(Double(sampleRate) / 2)
        let edges = (0..<(count + 2)).map { Self.hertz(top * Double($0) / Double(count + 1)) }
        let binWidth = Double(sampleRate) / Double(fftLength)
        filters = (0..<count).map { index in
            let (low, centre, high) = (edges[index], edges[index + 1], edges[index + 2])
            var filter = Filter(firstBin: 0, weights: [])
            for bin in 0...(fftLength / 2) {
                let frequency = Double(bin) * binWidth
                let height = min((frequency - low) / (centre - low), (high - frequency) / (high - centre))
                guard height > 0 else { continue }
                if filter.weights.isEmpty { filter.firstBin = bin }
                filter.weights.append(Float(height * 2 / (high - low)))
            }
            return filter
        }
    }

    /// Linear below 1000 Hz, where a mel is 66.7 Hz; above, 27 mels are a factor of 6.4.
    private static let (knee, melsAtKnee, logStep) = (1000.0, 15.0, log(6.4) / 27)

    private static func mel(_ hertz: Double) -> Double {
        hertz < knee ? hertz * 3 / 200 : melsAtKnee + log(hertz / knee) / logStep
    }

    private static func hertz(_ mel: Double) -> Double {
        mel < melsAtKnee ? mel * 200 / 3 : knee * exp(logStep * (mel - melsAtKnee))
    }
}
