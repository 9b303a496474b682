internal import Inference
internal import VoiceCore

/// Stages 3 and 4: one step of an LSTM cell (PyTorch's gate order: input, forget, cell, output), then the probability.
struct SileroDecoder {
    /// What one step leaves.
    struct Step {
        /// Shape [1], in [0, 1].
        var probability: Tensor
        /// The LSTM's output and cell, each of shape [hiddenSize].
        var hidden: Tensor
        var cell: Tensor
    }

    let hyperparameters: SileroHyperparameters
    let weights: Weights

    /// - Parameters: x, hidden, cell: shape [hiddenSize].
    func build(_ g: GraphBuilder, _ x: Tensor, hidden: Tensor, cell: Tensor) throws(VoiceError) -> Step {
        let size = hyperparameters.hiddenSize
        func part(_ input: Tensor, _ name: String) throws(VoiceError) -> Tensor {
            let weight = try weights.tensor("decoder.rnn.weight_\(name)", shape: [size, 4 * size])
            return try g.linear(input, weight, bias: weights.tensor("decoder.rnn.bias_\(name)", shape: [4 * size]))
        }
        let gates = try g.add(part(x, "ih"), part(hidden, "hh"))
        func gate(_ index: Int) throws(VoiceError) -> Tensor {
            try g.slice(gates, dimension: 0, (index * size)..<((index + 1) * size))
        }
        let kept = try g.multiply(g.sigmoid(gate(1)), cell)
        let cell = try g.add(kept, g.multiply(g.sigmoid(gate(0)), g.tanh(gate(2))))
        let hidden = try g.multiply(g.sigmoid(gate(3)), g.tanh(cell))

        let weight = try weights.tensor("decoder.decoder.2.weight", shape: [size])
        let bias = try weights.tensor("decoder.decoder.2.bias", shape: [1])
        let probability = try g.sigmoid(g.linear(g.relu(hidden), weight, bias: bias))
        return Step(probability: probability, hidden: hidden, cell: cell)
    }
}
