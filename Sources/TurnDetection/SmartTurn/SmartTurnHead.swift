internal import Inference
internal import VoiceCore

/// Stages 4 and 5: the steps pooled by attention into one vector, and a classifier that ends in a probability.
struct SmartTurnHead {
    let hyperparameters: SmartTurnHyperparameters
    let weights: Weights

    /// - Parameter x: shape [hiddenSize, positions].
    /// - Returns: shape [1], in [0, 1].
    func build(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let x = try g.norm(x, epsilon: hyperparameters.epsilon)
        let hidden = try g.tanh(g.matmul(weights.tensor("pool"), x), bias: weights.tensor("pool.bias"))
        let scores = try g.reshape(g.matmul(weights.tensor("pool.score"), hidden), [hyperparameters.positions])
        let pooled = try g.matmul(g.contiguous(g.transpose(x)), g.softmax(scores))

        var y = try g.linear(pooled, weights.tensor("classifier.0"), bias: weights.tensor("classifier.0.bias"))
        y = try g.multiply(g.norm(y, epsilon: hyperparameters.epsilon), weights.tensor("classifier.norm"))
        y = try g.geluExact(y, bias: weights.tensor("classifier.norm.bias"))
        y = try g.geluExact(g.matmul(weights.tensor("classifier.1"), y), bias: weights.tensor("classifier.1.bias"))
        return try g.sigmoid(g.linear(y, weights.tensor("classifier.2"), bias: weights.tensor("classifier.2.bias")))
    }
}
