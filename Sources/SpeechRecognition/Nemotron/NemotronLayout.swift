internal import Inference
internal import VoiceCore

/// Which tensors a file must have, with which shapes and types.
///
/// Source: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/asr.py` and `src/asr/model.cpp`; shapes in ggml's order, first
/// dimension fastest. Tensors that this engine computes itself (`encoder.pos_enc.pe`) or does not need are not asked for.
struct NemotronLayout {
    /// One tensor.
    struct Entry {
        var name: String
        var shape: Shape
        var types: Set<ElementType>
    }

    /// Tensors that the encoder's graphs take as they are, the joint network's part that sees the encoder included.
    let encoder: [Entry]
    /// Tensors that others are computed from.
    let sources: [Entry]
    /// Tensors of the prediction network and the rest of the joint network.
    let decoder: [Entry]

    /// Whatever ggml multiplies.
    private static let matrix: Set<ElementType> = [
        .f32, .f16, .bf16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q4_k, .q5_k, .q6_k,
    ]
    private static let plain: Set<ElementType> = [.f32, .f16, .bf16]
    private static let single: Set<ElementType> = [.f32]

    init(_ h: NemotronHyperparameters) {
        encoder = Self.encoder(h)
        sources = Self.sources(h)
        decoder = Self.decoder(h)
    }

    /// Checks a file.
    /// - Throws: ``VoiceError/Code/malformedInput`` naming the first tensor that is missing or not as it must be.
    func check(_ file: GGUFFile) throws(VoiceError) {
        for entry in encoder + sources + decoder {
            _ = try file.tensor(named: entry.name, shape: entry.shape, types: entry.types)
        }
    }

    private static func linear(_ name: String, _ from: Int, _ to: Int, bias: Bool) -> [Entry] {
        let weight = Entry(name: "\(name).weight", shape: [from, to], types: matrix)
        return bias ? [weight, Entry(name: "\(name).bias", shape: [to], types: single)] : [weight]
    }

    private static func norm(_ name: String, _ width: Int) -> [Entry] {
        ["weight", "bias"].map { Entry(name: "\(name).\($0)", shape: [width], types: single) }
    }

    private static func encoder(_ h: NemotronHyperparameters) -> [Entry] {
        let (width, biased) = (h.width, h.hasBiases)
        var entries = linear(
            "encoder.pre_encode.out",
            h.subsamplingChannels * h.frequencies[3],
            width,
            bias: true
        )
        for layer in 0..<h.layers {
            let name = "encoder.layers.\(layer)"
            for part in ["feed_forward1", "self_att", "conv", "feed_forward2", "out"] {
                entries += norm("\(name).norm_\(part)", width)
            }
            for part in ["feed_forward1", "feed_forward2"] {
                entries += linear("\(name).\(part).linear1", width, h.feedForwardWidth, bias: biased)
                entries += linear("\(name).\(part).linear2", h.feedForwardWidth, width, bias: biased)
            }
            for part in ["q", "k", "v", "out"] {
                entries += linear("\(name).self_attn.linear_\(part)", width, width, bias: biased)
            }
            for part in ["u", "v"] {
                entries.append(
                    Entry(
                        name: "\(name).self_attn.pos_bias_\(part)",
                        shape: [h.headWidth, h.heads],
                        types: single
                    )
                )
            }
            entries += linear("\(name).conv.pointwise_conv1", width, 2 * width, bias: biased)
            entries += linear("\(name).conv.pointwise_conv2", width, width, bias: biased)
            entries += norm("\(name).conv.batch_norm", width)
            let kernel: Shape = [h.kernelSize, 1, width]
            entries.append(Entry(name: "\(name).conv.depthwise_conv.weight", shape: kernel, types: plain))
            if biased {
                entries.append(
                    Entry(name: "\(name).conv.depthwise_conv.bias", shape: [width], types: single)
                )
            }
        }
        if h.prompts > 0 {
            entries += linear("prompt_kernel.0", width + h.prompts, h.promptWidth, bias: true)
            entries += linear("prompt_kernel.2", h.promptWidth, width, bias: true)
        }
        return entries + linear("joint.enc", width, h.jointWidth, bias: true)
    }

    private static func sources(_ h: NemotronHyperparameters) -> [Entry] {
        let channels = h.subsamplingChannels
        var entries: [Entry] = []
        for index in [0, 2, 3, 5, 6] {
            let name = "encoder.pre_encode.conv.\(index)"
            let shape: Shape = index == 3 || index == 6 ? [1, 1, channels, channels] : [3, 3, 1, channels]
            entries.append(Entry(name: "\(name).weight", shape: shape, types: plain))
            entries.append(Entry(name: "\(name).bias", shape: [channels], types: single))
        }
        for layer in 0..<h.layers {
            entries += linear("encoder.layers.\(layer).self_attn.linear_pos", h.width, h.width, bias: false)
        }
        return entries
    }

    private static func decoder(_ h: NemotronHyperparameters) -> [Entry] {
        let shape: Shape = [h.embeddingWidth, h.tokens]
        var entries = [Entry(name: "decoder.prediction.embed.weight", shape: shape, types: matrix)]
        for layer in 0..<h.predictionLayers {
            let name = "decoder.prediction.dec_rnn.lstm"
            let input = layer == 0 ? h.embeddingWidth : h.predictionWidth
            entries += linear("\(name).ih_l\(layer)", input, 4 * h.predictionWidth, bias: true)
            entries += linear("\(name).hh_l\(layer)", h.predictionWidth, 4 * h.predictionWidth, bias: true)
        }
        entries += linear("joint.pred", h.predictionWidth, h.jointWidth, bias: true)
        return entries + linear("joint.joint_net.2", h.jointWidth, h.tokens, bias: true)
    }
}
