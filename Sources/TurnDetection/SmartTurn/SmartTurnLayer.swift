internal import Inference
internal import VoiceCore

/// Stage 3: one layer of Whisper's encoder, with its norms before attention and before the feed-forward block.
struct SmartTurnLayer {
    let index: Int
    let hyperparameters: SmartTurnHyperparameters
    let weights: SmartTurnWeights

    /// - Parameter x: shape [hiddenSize, positions].
    /// - Returns: the same shape.
    func build(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let attended = try g.add(x, attention(g, g.norm(x, epsilon: hyperparameters.epsilon)))
        return try feedForward(g, attended)
    }

    private func name(_ name: String) -> String { "layers.\(index).\(name)" }

    private func weight(_ name: String) throws(VoiceError) -> Tensor { try weights.tensor(self.name(name)) }

    private func product(_ g: GraphBuilder, _ name: String, _ x: Tensor) throws(VoiceError) -> Tensor {
        try weights.product(g, self.name(name), x)
    }

    private func attention(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let h = hyperparameters
        let headSize = h.hiddenSize / h.heads
        func byHead(_ x: Tensor) throws(VoiceError) -> Tensor {
            try g.contiguous(g.permute(g.reshape(x, [headSize, h.heads, h.positions]), [0, 2, 1, 3]))
        }
        let query = try byHead(g.add(product(g, "query", x), weight("query.bias")))
        let key = try byHead(product(g, "key", x))
        // Transposed, one row of positions per channel, as the product with the attention's weights takes them.
        let value = try g.contiguous(
            g.permute(g.reshape(product(g, "value", x), [headSize, h.heads, h.positions]), [1, 2, 0, 3])
        )
        let mixed = try g.matmul(value, g.softmax(g.matmul(key, query)))
        let joined = try g.contiguous(g.permute(mixed, [0, 2, 1, 3]))
        return try g.add(
            product(g, "output", g.reshape(joined, [h.hiddenSize, h.positions])),
            weight("output.bias")
        )
    }

    private func feedForward(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let normalised = try g.norm(x, epsilon: hyperparameters.epsilon)
        var result = try g.add(x, weight("fall.bias"))
        for part in 0..<SmartTurnParameters.feedForwardParts(hyperparameters) {
            let inner = try g.activated(
                product(g, "rise.\(part)", normalised),
                bias: weight("rise.\(part).bias"),
                .geluExact
            )
            result = try g.add(result, product(g, "fall.\(part)", inner))
        }
        return result
    }
}
