internal import Inference
internal import VoiceCore

/// Stage 2: one decoder layer on new positions: attention to what came before, attention to the text, a feed-forward block.
///
/// The positions with a text come first, those without (the unconditional ones of classifier-free guidance) after them: to
/// the latter the text is zeros, a norm without bias makes nothing of it, and their attention to the text adds nothing.
/// Source: NeMo 3.0.0 `modules/transformer_2501.py` (`TransformerLayer`), `models/magpietts.py`
/// (`prepare_dummy_cond_for_cfg`).
struct DecoderLayer {
    let index: Int
    let weights: MagpieWeights
    let memory: DecoderMemory

    private var h: MagpieHyperparameters { weights.h }
    private var name: String { "decoder.layers.\(index)" }

    /// What the texts are to this layer.
    struct Text {
        /// Keys and values, one row of the cross width per token, padded to the same length: shape
        /// [cross width, length · streams].
        var keys: Tensor
        var values: Tensor
        /// Tokens of a text and streams.
        var length: Int
        var streams: Int
        /// Added to the scores: shape [length, positions of a stream, 1, streams].
        var mask: Tensor
    }

    /// A layer's results.
    struct Result {
        /// Shape [width, positions].
        var x: Tensor
        /// Shares of the text's tokens, where there is a text: shape [length, positions of a stream, heads, streams].
        var shares: Tensor?
    }

    /// - Parameters:
    ///   - x: shape [width, positions]; the first ones have a text.
    ///   - spans: where each position looks.
    ///   - text: the texts of the first positions; nil where none has one.
    ///   - guided: how many have a text.
    func build(
        _ g: GraphBuilder,
        _ x: Tensor,
        spans: SpanInput,
        text: Text?,
        conditional: Int
    ) throws(VoiceError) -> Result {
        var x = try g.add(x, selfAttention(g, x, spans))
        var shares: Tensor?
        if let text {
            let (added, seen) = try crossAttention(g, x, text, conditional)
            x = try g.add(x, added)
            shares = seen
        }
        let normed = try weights.norm(g, x, "\(name).norm_pos_ff")
        return Result(x: try g.add(x, weights.feedForward(g, normed, name, taps: 1)), shares: shares)
    }

    /// Attention to the positions before, whose keys and values it keeps.
    func selfAttention(_ g: GraphBuilder, _ x: Tensor, _ spans: SpanInput) throws(VoiceError) -> Tensor {
        let normed = try weights.norm(g, x, "\(name).norm_self")
        let mixed = try g.cachedAttention(
            weights.product(g, normed, "\(name).self_attention.qkv_net.weight"),
            keys: memory.keys(index),
            values: memory.values(index),
            spans: spans,
            heads: h.decoderHeads
        )
        return try weights.product(g, mixed, "\(name).self_attention.o_net.weight")
    }

    /// Keys and values of a text: shape [cross width, tokens] each.
    /// - Parameter text: the encoder's output, shape [width, tokens].
    func project(_ g: GraphBuilder, text: Tensor) throws(VoiceError) -> (keys: Tensor, values: Tensor) {
        let normed = try weights.norm(g, text, "\(name).norm_xattn_memory")
        let both = try weights.product(g, normed, "\(name).cross_attention.kv_net.weight")
        let width = h.crossWidth
        return (
            try g.contiguous(g.slice(both, dimension: 0, 0..<width)),
            try g.contiguous(g.slice(both, dimension: 0, width..<(2 * width)))
        )
    }

    private func crossAttention(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ text: Text,
        _ conditional: Int
    ) throws(VoiceError) -> (added: Tensor, shares: Tensor) {
        let (positions, streams) = (conditional / text.streams, text.streams)
        func byHead(_ x: Tensor, _ rows: Int) throws(VoiceError) -> Tensor {
            try g.permute(g.reshape(x, [h.crossHeadWidth, h.crossHeads, rows, streams]), [0, 2, 1, 3])
        }
        let normed = try weights.norm(
            g,
            g.slice(x, dimension: 1, 0..<conditional),
            "\(name).norm_xattn_query"
        )
        let query = try weights.product(g, normed, "\(name).cross_attention.q_net.weight")
        let scores = try g.matmul(byHead(text.keys, text.length), g.contiguous(byHead(query, positions)))
        let scale = 1 / Float(h.crossHeadWidth).squareRoot()
        let shares = try g.softmax(scores, mask: text.mask, scale: scale)
        let mixed = try g.mix(byHead(text.values, text.length), by: shares)
        let joined = try g.reshape(g.contiguous(g.permute(mixed, [0, 2, 1, 3])), [h.crossWidth, conditional])
        let added = try weights.product(g, joined, "\(name).cross_attention.o_net.weight")
        let others = x.shape[1] - conditional
        return (others > 0 ? try g.pad(added, dimension: 1, after: others) : added, shares)
    }
}
