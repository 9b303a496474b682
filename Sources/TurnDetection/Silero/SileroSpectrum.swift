internal import Inference
internal import VoiceCore

/// Stage 1: magnitudes of a short-time spectrum, by the filters that are stored in the model.
struct SileroSpectrum: Sendable {
    private let filters: SmallConvolution
    private let frames: Int
    private let bins: Int

    /// Reads the filters.
    /// - Throws: ``VoiceError/Code/malformedInput`` when there are none of that shape.
    init(_ file: GGUFFile, _ h: SileroHyperparameters) throws(VoiceError) {
        (frames, bins) = (h.frames, h.bins)
        let stored = try file.floats("stft.forward_basis_buffer", shape: [h.filterLength, 2 * bins])
        // Filters overlap by half: a filter sees two columns, which are hops.
        let hop = h.hopLength
        var weights: [Float] = []
        weights.reserveCapacity(stored.count)
        for filter in 0..<(2 * bins) {
            let first = filter * 2 * hop
            for sample in 0..<hop { weights += [stored[first + sample], stored[first + hop + sample]] }
        }
        let bias = [Float](repeating: 0, count: 2 * bins)
        filters = try SmallConvolution(weights: weights, bias: bias, inputs: hop, taps: 2)
    }

    /// - Parameter samples: `inputLength` of each window, in [-1, 1].
    /// - Returns: `frames` columns of `bins` for each window.
    func magnitudes(of samples: [Float], windows: Int) -> [Float] {
        let parts = filters(samples, columns: frames, streams: windows)
        var magnitudes: [Float] = []
        magnitudes.reserveCapacity(windows * frames * bins)
        for first in stride(from: 0, to: parts.count, by: 2 * bins) {
            for bin in first..<(first + bins) {
                let (real, imaginary) = (parts[bin], parts[bin + bins])
                magnitudes.append((real * real + imaginary * imaginary).squareRoot())
            }
        }
        return magnitudes
    }
}

extension GGUFFile {
    /// A tensor of 32-bit floats.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it is missing or another.
    func floats(_ name: String, shape: Shape) throws(VoiceError) -> [Float] {
        try floats(of: tensor(named: name, shape: shape, types: [.f32]))
    }
}
