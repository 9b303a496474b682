internal import Inference
internal import VoiceCore

/// Stages 4 and 5: the steps pooled by attention into one vector, and a classifier that ends in a probability.
struct SmartTurnHead {
    let hyperparameters: SmartTurnHyperparameters
    let weights: SmartTurnWeights

    /// - Parameter x: shape [hiddenSize, positions].
    /// - Returns: shape [1], in [0, 1].
    func build(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let x = try g.norm(x, epsilon: hyperparameters.epsilon)
        let hidden = try g.linear(x, weights.tensor("pool"), bias: weights.tensor("pool.bias"), activation: .tanh)
        let scores = try g.reshape(g.matmul(weights.tensor("pool.score"), hidden), [hyperparameters.positions])
        let pooled = try g.matmul(g.contiguous(g.transpose(x)), g.softmax(scores))

        var y = try g.linear(pooled, weights.tensor("classifier.0"), bias: weights.tensor("classifier.0.bias"))
        y = try g.geluExact(
            g.layerNorm(
                y,
                weight: weights.tensor("classifier.norm"),
                bias: weights.tensor("classifier.norm.bias"),
                epsilon: hyperparameters.epsilon
            )
        )
        y = try g.linear(
            y,
            weights.tensor("classifier.1"),
            bias: weights.tensor("classifier.1.bias"),
            activation: .geluExact
        )
        return try g.sigmoid(g.linear(y, weights.tensor("classifier.2"), bias: weights.tensor("classifier.2.bias")))
    }
}
