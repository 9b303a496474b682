internal import Inference
internal import VoiceCore

/// Stage 3: one layer of Whisper's encoder, with its norms before attention and before the feed-forward block.
struct SmartTurnLayer {
    let index: Int
    let hyperparameters: SmartTurnHyperparameters
    let weights: Weights

    /// - Parameter x: shape [hiddenSize, positions].
    /// - Returns: the same shape.
    func build(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let attended = try g.add(x, attention(g, g.norm(x, epsilon: hyperparameters.epsilon)))
        return try feedForward(g, attended)
    }

    private func weight(_ name: String) throws(VoiceError) -> Tensor { try weights.tensor("layers.\(index).\(name)") }

    private func attention(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let h = hyperparameters
        let headSize = h.hiddenSize / h.heads
        func byHead(_ x: Tensor) throws(VoiceError) -> Tensor {
            try g.contiguous(g.permute(g.reshape(x, [headSize, h.heads, h.positions]), [0, 2, 1, 3]))
        }
        let query = try byHead(g.linear(x, weight("query"), bias: weight("query.bias")))
        let key = try byHead(g.matmul(weight("key"), x))
        // With x as the left operand the values come out transposed, one row of positions per channel, as needed.
        let value = try g.matmul(x, g.reshape(weight("value"), [h.hiddenSize, headSize, h.heads]))
        let mixed = try g.matmul(value, g.softmax(g.matmul(key, query)))
        let joined = try g.contiguous(g.permute(mixed, [0, 2, 1, 3]))
        return try g.linear(
            g.reshape(joined, [h.hiddenSize, h.positions]),
            weight("output"),
            bias: weight("output.bias")
        )
    }

    private func feedForward(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let normalised = try g.norm(x, epsilon: hyperparameters.epsilon)
        var result = try g.add(x, weight("fall.bias"))
        for part in 0..<SmartTurnParameters.feedForwardParts(hyperparameters) {
            let inner = try g.linear(
                normalised,
                weight("rise.\(part)"),
                bias: weight("rise.\(part).bias"),
                activation: .geluExact
            )
            result = try g.add(result, g.matmul(weight("fall.\(part)"), inner))
        }
        return result
    }
}
