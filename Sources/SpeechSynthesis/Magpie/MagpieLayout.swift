internal import Inference
internal import VoiceCore

/// Which tensors a file must have, with which shapes and types.
///
/// Source: NVIDIA/NeMo-Speech.cpp @ 4f9676226, `conversion/tts.py` and `src/tts/magpietts/model.cpp`; shapes in ggml's
/// order, first dimension fastest.
struct MagpieLayout {
    /// One tensor.
    struct Entry {
        var name: String
        var shape: Shape
        var types: Set<ElementType>
    }

    /// Matrices that are multiplied.
    let matrices: [Entry]
    /// Tables that rows are looked up in.
    let tables: [Entry]
    /// Weights of norms, biases.
    let vectors: [Entry]
    /// The vectors that make the speakers' voices.
    let context: Entry

    /// Whatever ggml multiplies.
    private static let matrix: Set<ElementType> = [
        .f32, .f16, .bf16, .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .q4_k, .q5_k, .q6_k,
    ]
    private static let plain: Set<ElementType> = [.f32, .f16]

    init(_ h: MagpieHyperparameters) {
        func matrix(_ name: String, _ from: Int, _ to: Int) -> Entry {
            Entry(name: "\(name).weight", shape: [from, to], types: Self.matrix)
        }
        func table(_ name: String, _ width: Int, _ rows: Int) -> Entry {
            Entry(name: "\(name).weight", shape: [width, rows], types: Self.plain)
        }
        func vector(_ name: String, _ count: Int) -> Entry { Entry(name: name, shape: [count], types: [.f32]) }

        let encoder = Self.layers("encoder", h.encoderLayers, h.width, h.feedForwardWidth, taps: h.encoderTaps)
        let decoder = Self.layers("decoder", h.decoderLayers, h.width, h.feedForwardWidth, taps: 1)
        let local = Self.layers("local_transformer", h.localLayers, h.localWidth, h.localFeedForwardWidth, taps: 1)
        var matrices = encoder.matrices + decoder.matrices + local.matrices
        var vectors = encoder.norms + decoder.norms + local.norms
        for layer in 0..<h.decoderLayers {
            let name = "decoder.layers.\(layer)"
            matrices.append(matrix("\(name).cross_attention.q_net", h.width, h.crossWidth))
            matrices.append(matrix("\(name).cross_attention.kv_net", h.width, 2 * h.crossWidth))
            matrices.append(matrix("\(name).cross_attention.o_net", h.crossWidth, h.width))
            for part in ["query", "memory"] { vectors.append(vector("\(name).norm_xattn_\(part).weight", h.width)) }
        }
        matrices.append(matrix("final_proj", h.width, h.codebooks * h.audioVocabulary))
        vectors.append(vector("final_proj.bias", h.codebooks * h.audioVocabulary))
        matrices.append(matrix("local_transformer_in_projection", h.width, h.localWidth))
        vectors.append(vector("local_transformer_in_projection.bias", h.localWidth))
        for codebook in 0..<h.codebooks {
            let name = "local_transformer_out_projections.\(codebook)"
            matrices.append(matrix(name, h.localWidth, h.audioVocabulary))
            vectors.append(vector("\(name).bias", h.audioVocabulary))
        }
        vectors += ["encoder.norm_out.weight", "decoder.norm_out.weight"].map { vector($0, h.width) }
        self.matrices = matrices
        self.vectors = vectors
        tables =
            (0..<h.codebooks).map { table("audio_embeddings.\($0)", h.width, h.audioVocabulary) } + [
                table("text_embedding", h.width, h.textVocabulary),
                table("encoder.position_embeddings", h.width, h.positions),
                table("decoder.position_embeddings", h.width, h.positions),
                table("local_transformer.position_embeddings", h.localWidth, h.localPositions),
            ]
        context = table("baked_context_embedding", h.contextLength * h.width, h.speakers)
    }

    /// Checks a file.
    /// - Throws: ``VoiceError/Code/malformedInput`` naming the first tensor that is missing or not as it must be.
    func check(_ file: GGUFFile) throws(VoiceError) {
        for entry in matrices + tables + vectors + [context] {
            _ = try file.tensor(named: entry.name, shape: entry.shape, types: entry.types)
        }
    }

    /// What the layers of encoder, decoder and local transformer have in common.
    private static func layers(
        _ stack: String,
        _ count: Int,
        _ width: Int,
        _ inner: Int,
        taps: Int
    ) -> (matrices: [Entry], norms: [Entry]) {
        var (matrices, norms): ([Entry], [Entry]) = ([], [])
        for layer in 0..<count {
            let name = "\(stack).layers.\(layer)"
            func add(_ part: String, _ from: Int, _ to: Int) {
                matrices.append(Entry(name: "\(name).\(part)", shape: [from, to], types: matrix))
            }
            add("self_attention.qkv_net.weight", width, 3 * width)
            add("self_attention.o_net.weight", width, width)
            for tap in 0..<taps {
                add("pos_ff.proj.conv.weight.k\(tap)", width, inner)
                add("pos_ff.o_net.conv.weight.k\(tap)", inner, width)
            }
            for norm in ["norm_self", "norm_pos_ff"] {
                norms.append(Entry(name: "\(name).\(norm).weight", shape: [width], types: [.f32]))
            }
        }
        return (matrices, norms)
    }
}
