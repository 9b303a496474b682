internal import Inference
internal import VoiceCore

/// Stage 2: two convolutions with GELU that halve the frames, and the positions.
struct SmartTurnStem {
    let hyperparameters: SmartTurnHyperparameters
    let weights: SmartTurnWeights

    /// - Parameter features: shape [frames, melBins].
    /// - Returns: shape [hiddenSize, positions].
    func build(_ g: GraphBuilder, _ features: Tensor) throws(VoiceError) -> Tensor {
        let (h, width) = (hyperparameters, hyperparameters.hiddenSize)
        let kernel = try weights.tensor("stem.0.weight")
        let windows = try g.im2col(features, kernel: kernel, geometry: ConvolutionGeometry(padding: 1))
        let x = try g.linear(
            windows,
            g.reshape(kernel, [h.kernelSize * h.melBins, width]),
            bias: weights.tensor("stem.0.bias"),
            activation: .geluExact
        )

        // Stride 2, three taps: step j takes frames 2j − 1, 2j and 2j + 1. The last two lie together, as one row of
        // pairs; the first is the second half of the row before, and zero for the first step.
        let pairs = try g.reshape(x, [2 * width, h.positions])
        let odd = try g.slice(pairs, dimension: 0, width..<(2 * width))
        let before = try g.contiguous(g.slice(odd, dimension: 1, 0..<(h.positions - 1)))
        let steps = try g.concat(g.pad(before, dimension: 1, before: 1), pairs, dimension: 0)
        let y = try g.activated(
            weights.product(g, "stem.1.weight", steps),
            bias: weights.tensor("stem.1.bias"),
            .geluExact
        )
        return try g.add(y, weights.tensor("positions"))
    }
}
