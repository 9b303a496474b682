internal import Inference
internal import VoiceCore

/// Stage 3: one FastConformer layer on the new frames of some streams: half a feed-forward block, attention, a convolution
/// over time, half a feed-forward block, a norm.
///
/// What streams keep is the keys and values of the last frames and the columns that the convolution reaches back to; nothing
/// is projected twice. Source: NeMo `parts/submodules/conformer_modules.py` (`ConformerLayer`, 2.6.0rc0).
struct ConformerLayer {
    let index: Int
    let h: NemotronHyperparameters
    let weights: NemotronWeights
    let arena: StateArena

    /// The step that the layer takes part in.
    struct Step {
        /// New frames of each stream.
        var frames: Int
        /// Streams.
        var streams: Int
        /// The streams' slots.
        var slots: Tensor
        /// Rows of the key and value caches, oldest frame first: left context · streams.
        var past: Tensor
        /// Rows of the key and value caches that the new frames go to: frames · streams.
        var present: Tensor
        /// Added to scores: shape [left context + frames, frames, 1, streams].
        var mask: Tensor
    }

    /// - Parameter x: shape [width, frames · streams].
    /// - Returns: the same shape.
    func build(_ g: GraphBuilder, _ x: Tensor, _ step: Step) throws(VoiceError) -> Tensor {
        var x = try g.add(x, feedForward(g, x, 1))
        x = try g.add(x, attention(g, norm(g, x, "norm_self_att"), step))
        x = try g.add(x, convolution(g, norm(g, x, "norm_conv"), step))
        x = try g.add(x, feedForward(g, x, 2))
        return try norm(g, x, "norm_out")
    }

    private func weight(_ name: String) throws(VoiceError) -> Tensor {
        try weights.tensor("encoder.layers.\(index).\(name)")
    }

    private func norm(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        try g.layerNorm(
            x,
            weight: weight("\(name).weight"),
            bias: weight("\(name).bias"),
            epsilon: NemotronHyperparameters.epsilon
        )
    }

    private func linear(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        try weights.linear(g, x, "encoder.layers.\(index).\(name)", bias: h.hasBiases)
    }

    /// Half of a feed-forward block's result.
    private func feedForward(_ g: GraphBuilder, _ x: Tensor, _ number: Int) throws(VoiceError) -> Tensor {
        let inner = try linear(g, norm(g, x, "norm_feed_forward\(number)"), "feed_forward\(number).linear1")
        return try g.scale(linear(g, g.silu(inner), "feed_forward\(number).linear2"), by: 0.5)
    }

    // MARK: attention

    /// Attention with relative positions (Transformer-XL): softmax(((Q + u) Kᵀ + shift((Q + v) Pᵀ)) / √d) V over the frames
    /// kept from before and the new ones.
    private func attention(_ g: GraphBuilder, _ x: Tensor, _ step: Step) throws(VoiceError) -> Tensor {
        let (frames, streams) = (step.frames, step.streams)
        func byHead(_ x: Tensor, _ rows: Int) throws(VoiceError) -> Tensor {
            try g.permute(g.reshape(x, [h.headWidth, h.heads, rows, streams]), [0, 2, 1, 3])
        }
        let query = try linear(g, x, "self_attn.linear_q")
        let key = try linear(g, x, "self_attn.linear_k")
        let value = try linear(g, x, "self_attn.linear_v")
        let contentQuery = try g.contiguous(byHead(g.add(query, flat(g, "self_attn.pos_bias_u")), frames))
        let positionQuery = try g.contiguous(byHead(g.add(query, flat(g, "self_attn.pos_bias_v")), frames))

        let pastKeys = try byHead(g.rows(of: arena.matrix("keys.\(index)"), at: step.past), h.leftContext)
        let pastValues = try byHead(g.rows(of: arena.matrix("values.\(index)"), at: step.past), h.leftContext)
        try g.store(key, into: arena.matrix("keys.\(index)"), at: step.present)
        try g.store(value, into: arena.matrix("values.\(index)"), at: step.present)

        let content = try g.concat(
            g.matmul(pastKeys, contentQuery),
            g.matmul(byHead(key, frames), contentQuery),
            dimension: 0
        )
        let positions = try weights.positions(layer: index, frames: frames, g)
        let scores = try g.add(content, g.relativeShift(g.matmul(positions, positionQuery)))
        let shares = try g.softmax(scores, mask: step.mask, scale: 1 / Float(h.headWidth).squareRoot())
        let mixed = try g.add(
            g.mix(pastValues, by: g.slice(shares, dimension: 0, 0..<h.leftContext)),
            g.mix(byHead(value, frames), by: g.slice(shares, dimension: 0, h.leftContext..<(h.leftContext + frames)))
        )
        let joined = try g.contiguous(g.permute(mixed, [0, 2, 1, 3]))
        return try linear(g, g.reshape(joined, [h.width, frames * streams]), "self_attn.linear_out")
    }

    /// A parameter of all heads as one vector.
    private func flat(_ g: GraphBuilder, _ name: String) throws(VoiceError) -> Tensor {
        try g.reshape(weight(name), [h.width])
    }

    // MARK: convolution

    /// A gated linear unit, a causal convolution of each channel over time, a norm, SiLU and a linear map.
    private func convolution(_ g: GraphBuilder, _ x: Tensor, _ step: Step) throws(VoiceError) -> Tensor {
        let (frames, streams, context) = (step.frames, step.streams, h.convolutionContext)
        let both = try linear(g, x, "conv.pointwise_conv1")
        let gate = try g.sigmoid(g.contiguous(g.slice(both, dimension: 0, h.width..<(2 * h.width))))
        let gated = try g.multiply(g.slice(both, dimension: 0, 0..<h.width), gate)

        let columns = try g.contiguous(g.transpose(g.reshape(gated, [h.width, frames, streams])))
        let past = try g.reshape(
            g.rows(of: arena.matrix("columns.\(index)"), at: step.slots),
            [context, h.width, streams]
        )
        let all = try g.concat(past, columns, dimension: 0)
        let kept = try g.contiguous(g.slice(all, dimension: 0, frames..<(frames + context)))
        try g.store(
            g.reshape(kept, [context * h.width, streams]),
            into: arena.matrix("columns.\(index)"),
            at: step.slots
        )
        let kernel = try g.reshape(weight("conv.depthwise_conv.weight"), [h.kernelSize, h.width])
        var mixed = try g.reshape(g.causalDepthwise(all, kernel: kernel), [h.width, frames * streams])
        if h.hasBiases { mixed = try g.add(mixed, weight("conv.depthwise_conv.bias")) }
        // The file calls this norm by its place; it is a layer norm (asr.encoder.conv_norm).
        return try linear(g, g.silu(norm(g, mixed, "conv.batch_norm")), "conv.pointwise_conv2")
    }

    /// What streams keep between steps, of all layers.
    static func state(_ h: NemotronHyperparameters, caches: ElementType) -> [StateArena.Matrix] {
        (0..<h.layers).flatMap { layer in
            [
                StateArena.Matrix(
                    "keys.\(layer)",
                    rowLength: h.width,
                    rowsPerSlot: h.leftContext,
                    type: caches
                ),
                StateArena.Matrix(
                    "values.\(layer)",
                    rowLength: h.width,
                    rowsPerSlot: h.leftContext,
                    type: caches
                ),
                StateArena.Matrix("columns.\(layer)", rowLength: h.convolutionContext * h.width),
            ]
        }
    }
}
