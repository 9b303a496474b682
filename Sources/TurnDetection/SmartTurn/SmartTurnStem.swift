internal import Inference
internal import VoiceCore

/// Stage 2: two convolutions with GELU that halve the frames, and the positions.
struct SmartTurnStem {
    let hyperparameters: SmartTurnHyperparameters
    let weights: Weights

    /// - Parameter features: shape [frames, melBins].
    /// - Returns: shape [hiddenSize, positions].
    func build(_ g: GraphBuilder, _ features: Tensor) throws(VoiceError) -> Tensor {
        let (h, width) = (hyperparameters, hyperparameters.hiddenSize)
        var x = try g.conv1d(
            features,
            kernel: weights.tensor("stem.0.weight"),
            geometry: ConvolutionGeometry(padding: 1),
            order: .channelsFirst
        )
        x = try g.geluExact(x, bias: weights.tensor("stem.0.bias"))

        // Stride 2, three taps: step j takes frames 2j − 1, 2j and 2j + 1. The last two lie together, as one row of
        // pairs; the first is the second half of the row before, and zero for the first step.
        let pairs = try g.reshape(x, [2 * width, h.positions])
        let odd = try g.slice(pairs, dimension: 0, width..<(2 * width))
        let before = try g.contiguous(g.slice(odd, dimension: 1, 0..<(h.positions - 1)))
        x = try g.matmul(weights.tensor("stem.1.pair"), pairs)
        x = try g.add(x, g.matmul(weights.tensor("stem.1.before"), g.pad(before, dimension: 1, before: 1)))
        x = try g.geluExact(x, bias: weights.tensor("stem.1.bias"))
        return try g.add(x, weights.tensor("positions"))
    }
}
