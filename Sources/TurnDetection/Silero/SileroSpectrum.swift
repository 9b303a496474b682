internal import Inference
internal import VoiceCore

/// Stage 1: magnitudes of a short-time spectrum, by the filters that are stored in the model.
struct SileroSpectrum {
    let hyperparameters: SileroHyperparameters
    let weights: Weights

    /// - Parameter samples: shape [inputLength], in [-1, 1].
    /// - Returns: shape [frames, bins].
    func build(_ g: GraphBuilder, _ samples: Tensor) throws(VoiceError) -> Tensor {
        let (h, bins) = (hyperparameters, hyperparameters.bins)
        // Filters overlap by half. ggml has no overlapping views, so each filter is applied in two halves: the first
        // half to hops 0, 1, …, the second to hops 1, 2, …
        let hops = try g.reshape(samples, [h.hopLength, h.inputLength / h.hopLength])
        let filters = try weights.tensor("stft.forward_basis_buffer", shape: [h.filterLength, 2 * bins])
        var halves: [Tensor] = []
        for half in 0..<2 {
            let hops = try g.slice(hops, dimension: 1, half..<(half + h.frames))
            let filters = try g.slice(
                filters,
                dimension: 0,
                (half * h.hopLength)..<((half + 1) * h.hopLength)
            )
            // Frames first, as the convolutions take it.
            halves.append(try g.matmul(hops, g.contiguous(filters)))
        }
        let squares = try g.square(g.add(halves[0], halves[1]))
        let real = try g.slice(squares, dimension: 1, 0..<bins)
        let imaginary = try g.slice(squares, dimension: 1, bins..<(2 * bins))
        return try g.squareRoot(g.add(real, imaginary))
    }
}
