#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Triangles of equal area along Slaney's mel scale, from 0 Hz to half the sample rate.
///
/// Source: Slaney, *Auditory Toolbox*, 1998; the values are those of `librosa.filters.mel(htk=False, norm="slaney")`.
package struct MelFilterbank: Sendable {
    /// One triangle: its weights from `firstBin` on. Empty when it lies between two bins.
    package struct Filter: Sendable {
        /// The first bin with a weight.
        package var firstBin: Int
        /// The weights of that bin and those after it.
        package var weights: [Float]

        /// Makes a filter.
        package init(firstBin: Int, weights: [Float]) {
            self.firstBin = firstBin
            self.weights = weights
        }
    }

    /// The triangles, lowest first.
    package let filters: [Filter]

    /// Makes `count` filters over the bins of a spectrum of `fftLength` points.
    package init(count: Int, fftLength: Int, sampleRate: Int) {
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

    /// Takes filters from a matrix.
    /// - Parameters:
    ///   - matrix: row-major, one row of `bins` weights per filter. Zeros at both ends of a row are left out.
    ///   - bins: bins of the spectrum.
    package init(matrix: [Float], bins: Int) {
        filters = stride(from: 0, to: matrix.count - bins + 1, by: bins).map { start in
            let row = matrix[start..<(start + bins)]
            guard let first = row.firstIndex(where: { $0 != 0 }), let last = row.lastIndex(where: { $0 != 0 }) else {
                return Filter(firstBin: 0, weights: [])
            }
            return Filter(firstBin: first - start, weights: Array(row[first...last]))
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
