internal import Inference
internal import VoiceCore

/// Stage 1: a text's tokens to one vector each, layer by layer. Causal: a token's vector depends on those before it only.
///
/// Source: NeMo 3.0.0 `modules/transformer_2501.py` (`Transformer`, `TransformerLayer`), `models/magpietts.py`
/// (`_encode_text_input`). Not `Sendable`: it belongs to the actor that runs it.
final class TextEncoder {
    let h: MagpieHyperparameters
    private let weights: MagpieWeights
    private let stream: ComputeStream

    init(_ weights: MagpieWeights, on stream: ComputeStream) {
        h = weights.h
        self.weights = weights
        self.stream = stream
    }

    /// Token and position embeddings.
    /// - Parameter tokens: those of a text, its end included; each below the vocabulary's size.
    /// - Returns: one row of the width per token.
    func embed(_ tokens: [Int32]) throws(VoiceError) -> [Float] {
        let graph = try Graph(on: stream, capacity: 8) { g throws(VoiceError) in
            let tokens = try g.indices("tokens", count: tokens.count, below: h.textVocabulary)
            let positions = try g.indices("positions", count: tokens.tensor.shape[0], below: h.positions)
            let sum = try g.add(
                g.rows(of: weights.tensor("text_embedding.weight"), at: tokens.tensor),
                g.rows(of: weights.tensor("encoder.position_embeddings.weight"), at: positions.tensor)
            )
            return (tokens: tokens, positions: positions, sum: try g.output(sum, "embedded"))
        }
        try graph.write(indices: tokens, to: graph.ports.tokens)
        try graph.write(indices: (0..<Int32(tokens.count)).map { $0 }, to: graph.ports.positions)
        try graph.run()
        return try graph.read(graph.ports.sum)
    }

    /// One layer; after the last one, the norm at the end as well.
    /// - Parameter x: one row of the width per token.
    /// - Returns: the same.
    func layer(_ index: Int, _ x: [Float]) throws(VoiceError) -> [Float] {
        let count = x.count / h.width
        let name = "encoder.layers.\(index)"
        let graph = try Graph(on: stream, capacity: 64 + 8 * h.encoderTaps) { g throws(VoiceError) in
            let input = try g.input("x", shape: [h.width, count])
            let mask = try g.input("mask", shape: [count, count])
            let heard = try attention(g, weights.norm(g, input.tensor, "\(name).norm_self"), name, mask.tensor)
            let attended = try g.add(input.tensor, heard)
            let normed = try weights.norm(g, attended, "\(name).norm_pos_ff")
            var y = try g.add(attended, weights.feedForward(g, normed, name, taps: h.encoderTaps))
            if index == h.encoderLayers - 1 { y = try weights.norm(g, y, "encoder.norm_out") }
            return (x: input, mask: mask, y: try g.output(y, "y"))
        }
        var mask: [Float] = []
        mask.reserveCapacity(count * count)
        for query in 0..<count {
            for key in 0..<count { mask.append(key <= query ? 0 : -.infinity) }
        }
        try graph.write(x, to: graph.ports.x)
        try graph.write(mask, to: graph.ports.mask)
        try graph.run()
        return try graph.read(graph.ports.y)
    }

    private func attention(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ name: String,
        _ mask: Tensor
    ) throws(VoiceError) -> Tensor {
        let (count, headWidth) = (x.shape[1], h.width / h.encoderHeads)
        let all = try weights.product(g, x, "\(name).self_attention.qkv_net.weight")
        func part(_ index: Int) throws(VoiceError) -> Tensor {
            let slice = try g.slice(all, dimension: 0, (index * h.width)..<((index + 1) * h.width))
            let split = try g.reshape(g.contiguous(slice), [headWidth, h.encoderHeads, count])
            return try g.permute(split, [0, 2, 1, 3])
        }
        let scores = try g.matmul(part(1), g.contiguous(part(0)))
        let shares = try g.softmax(scores, mask: mask, scale: 1 / Float(headWidth).squareRoot())
        let joined = try g.contiguous(g.permute(g.mix(part(2), by: shares), [0, 2, 1, 3]))
        return try weights.product(g, g.reshape(joined, [h.width, count]), "\(name).self_attention.o_net.weight")
    }
}
