internal import Inference
internal import VoiceCore

/// Stage 3: the codes of a frame, one codebook after the other, from what the decoder says of it; and whether the decoder
/// itself would end the speech.
///
/// A code is drawn after each of eight short runs. On a GPU, too: beside an H100 one thread of a CPU took 2.4 ms of a frame's 4.0 for
/// one stream and 44 of 55 for 32 (docs/performance.md).
/// Source: NeMo 3.0.0 `modules/magpietts_modules.py` (`sample_autoregressive`), `models/magpietts.py` (`detect_eos`). Not
/// `Sendable`: it belongs to the actor that runs it.
final class LocalTransformer {
    /// One stream's part in a frame.
    struct Work {
        /// What the decoder gave with text and voice, and without: one row of the width each.
        var conditional: [Float]
        var unconditional: [Float]
        var sampling: MagpieSampling
        /// Whether the speech may end.
        var allowsEnd: Bool
        /// Random numbers in [0, 1), one per codebook.
        var uniforms: [Double]
    }

    private struct Ports {
        /// The decoder's rows before the first codebook, else nil.
        var hidden: GraphInput?
        /// The codes of the codebook before.
        var codes: GraphInput?
        var spans: SpanInput
        var scores: GraphOutput
    }

    private struct HeadPorts {
        var hidden: GraphInput
        var scores: GraphOutput
    }

    private struct Key: Hashable {
        var codebook: Int
        var streams: Int
    }

    let h: MagpieHyperparameters
    private let weights: MagpieWeights
    private let stream: ComputeStream
    private let sampler: CodeSampler
    /// Keys and values within a frame.
    private let memory: StateArena
    /// Whether keys and values are gathered by ggml's own operations: where the device is no CPU, and to compare the two.
    private let gathers: Bool
    private var graphs: [Key: Graph<Ports>] = [:]
    private var heads: [Int: Graph<HeadPorts>] = [:]

    /// - Parameters:
    ///   - streams: at most so many in a frame.
    ///   - gathers: true to gather keys and values on a CPU, too.
    init(
        _ weights: MagpieWeights,
        streams: Int,
        gathers: Bool = false,
        on stream: ComputeStream
    ) throws(VoiceError) {
        self.gathers = gathers || stream.device.kind != .cpu
        h = weights.h
        self.weights = weights
        self.stream = stream
        sampler = CodeSampler(weights.h)
        let matrices = (0..<h.localLayers).flatMap { layer in
            ["keys", "values"].map {
                StateArena.Matrix(
                    "\($0).\(layer)",
                    rowLength: weights.h.localWidth,
                    rowsPerSlot: weights.h.localPositions
                )
            }
        }
        memory = try StateArena(matrices, slots: 2 * streams, on: stream.device)
    }

    /// Draws the codes of one frame of some streams.
    /// - Returns: one code per codebook for each stream; they may be that of the end.
    func codes(_ work: [Work]) throws(VoiceError) -> [[Int32]] {
        var codes = work.map { _ in [Int32]() }
        for codebook in 0..<h.codebooks {
            let scores = try scores(codebook, work, codes)
            let (size, span) = (h.audioVocabulary, scores.span)
            for (index, item) in work.enumerated() {
                let other = work.count + index
                codes[index].append(
                    sampler.draw(
                        span.extracting((index * size)..<((index + 1) * size)),
                        span.extracting((other * size)..<((other + 1) * size)),
                        item.sampling,
                        allowsEnd: item.allowsEnd,
                        uniform: item.uniforms[codebook]
                    )
                )
            }
        }
        return codes
    }

    /// Scores of one codebook, given the codes of those before it: one row per stream with text and voice, then one per
    /// stream without.
    func scores(_ codebook: Int, _ work: [Work], _ codes: [[Int32]]) throws(VoiceError) -> [Float] {
        let graph = try graph(for: Key(codebook: codebook, streams: work.count))
        if let hidden = graph.ports.hidden {
            try graph.write(work.flatMap(\.conditional) + work.flatMap(\.unconditional), to: hidden)
        }
        if let input = graph.ports.codes { try graph.write(indices: codes.map { $0[codebook - 1] }, to: input) }
        try graph.run()
        return try graph.read(graph.ports.scores)
    }

    /// Whether the best code of any codebook, chosen from the decoder's own scores, is the end.
    ///
    /// The scores are linear in what the decoder gives, so that is mixed before they are computed.
    func wantsEnd(_ work: [Work]) throws(VoiceError) -> [Bool] {
        let graph = try head(work.count)
        let mixed = work.flatMap { item in
            zip(item.conditional, item.unconditional).map {
                item.sampling.guidance * $0 + (1 - item.sampling.guidance) * $1
            }
        }
        try graph.write(mixed, to: graph.ports.hidden)
        try graph.run()
        let scores = try graph.read(graph.ports.scores)
        return work.indices.map { index in
            work[index].allowsEnd
                && (0..<h.codebooks).contains { codebook in
                    let row = (index * h.codebooks + codebook) * h.audioVocabulary
                    let end = scores[row + h.audioEnd]
                    return !scores[row..<(row + h.codes)].contains { $0 >= end }
                }
        }
    }

    // MARK: graphs

    private func head(_ streams: Int) throws(VoiceError) -> Graph<HeadPorts> {
        if let graph = heads[streams] { return graph }
        let graph = try Graph(on: stream, capacity: 8) { g throws(VoiceError) in
            let hidden = try g.input("mixed", shape: [h.width, streams])
            return HeadPorts(
                hidden: hidden,
                scores: try g.output(weights.linear(g, hidden.tensor, "final_proj"), "scores")
            )
        }
        heads[streams] = graph
        return graph
    }

    private func graph(for key: Key) throws(VoiceError) -> Graph<Ports> {
        if let graph = graphs[key] { return graph }
        let graph = try build(key)
        // Rows of a slot are the positions of a frame: the same in every frame.
        let spans = (0..<(2 * key.streams)).map { slot in
            let start = slot * h.localPositions
            return CacheSpan(own: start..<(start + key.codebook + 1))
        }
        try graph.write(spans: spans, to: graph.ports.spans)
        graphs[key] = graph
        return graph
    }

    private func build(_ key: Key) throws(VoiceError) -> Graph<Ports> {
        try Graph(on: stream, capacity: 32 + (gathers ? 64 : 24) * h.localLayers) { g throws(VoiceError) in
            let (codebook, streams) = (key.codebook, key.streams)
            let spans = try g.spans(
                "spans",
                count: 2 * streams,
                rows: memory.slots * h.localPositions,
                gathering: gathers ? SpanGathering(sequences: 2 * streams, before: codebook) : nil
            )
            var (hidden, codes): (GraphInput?, GraphInput?)
            var x: Tensor
            if codebook == 0 {
                let input = try g.input("hidden", shape: [h.width, 2 * streams])
                hidden = input
                x = try weights.linear(g, input.tensor, "local_transformer_in_projection")
            } else {
                let input = try g.indices("codes", count: streams, below: h.audioVocabulary)
                codes = input
                let rows = try g.rows(
                    of: weights.tensor("audio_embeddings.\(codebook - 1).weight"),
                    at: input.tensor
                )
                x = try weights.linear(g, rows, "local_transformer_in_projection")
                // The code drawn is the next input without text and voice, too.
                x = try g.concat(x, x, dimension: 1)
            }
            x = try g.add(x, position(g, codebook))
            for layer in 0..<h.localLayers { x = try self.layer(g, x, layer, spans) }
            let scores = try weights.linear(g, x, "local_transformer_out_projections.\(codebook)")
            return Ports(hidden: hidden, codes: codes, spans: spans, scores: try g.output(scores, "scores"))
        }
    }

    private func position(_ g: GraphBuilder, _ number: Int) throws(VoiceError) -> Tensor {
        let table = try weights.tensor("local_transformer.position_embeddings.weight")
        let row = try g.slice(table, dimension: 1, number..<(number + 1))
        return table.type == .f32 ? row : try g.cast(row, to: .f32)
    }

    private func layer(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ index: Int,
        _ spans: SpanInput
    ) throws(VoiceError) -> Tensor {
        let name = "local_transformer.layers.\(index)"
        let normed = try weights.norm(g, x, "\(name).norm_self")
        let mixed = try g.cachedAttention(
            weights.product(g, normed, "\(name).self_attention.qkv_net.weight"),
            keys: memory.matrix("keys.\(index)"),
            values: memory.matrix("values.\(index)"),
            spans: spans,
            heads: h.localHeads
        )
        let x = try g.add(x, weights.product(g, mixed, "\(name).self_attention.o_net.weight"))
        return try g.add(x, weights.feedForward(g, weights.norm(g, x, "\(name).norm_pos_ff"), name, taps: 1))
    }
}
