internal import Inference
internal import VoiceCore

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The decoder as a whole: what was said before a frame in, what the frame shall be out, all streams in one run; what
/// streams keep lies in a ``DecoderMemory``.
///
/// **Begin, then step.** A text is begun layer by layer, so that nobody has to wait for longer than a layer takes; then
/// every step computes one frame of some streams. A step's numbers are those of NeMo with its cache of keys and values,
/// which applies a prior to the newest position only. Not `Sendable`: it belongs to the actor that runs it.
final class Decoder {
    /// One stream's part in a step.
    struct Work {
        /// Each seat at most once in a step.
        var seat: Int
        /// The frame before; nil for the first one.
        var codes: [Int32]?
        /// The frame's number.
        var frame: Int
        /// Tokens of the text.
        var textLength: Int
        /// Weights of the text's tokens; nil where all are alike.
        var prior: [Float]?
    }

    /// What a step gave for one stream.
    struct Result {
        /// One row of the width with text and voice, one without.
        var conditional: [Float]
        var unconditional: [Float]
        /// Shares of the text's tokens, the mean over the layers that tell.
        var attention: [Float]
    }

    private struct Ports {
        var codes: [GraphInput]
        var positions: GraphInput
        var spans: SpanInput
        var text: GraphInput
        var mask: GraphInput
        var guidedMask: GraphInput
        var hidden: GraphOutput
        var shares: GraphOutput
    }

    /// How large a run is.
    private struct Size: Hashable {
        var streams: Int
        var text: Int
        /// Positions before the new one that are gathered; nil where they are read where they lie.
        var before: Int?
    }

    let h: MagpieHyperparameters
    private let defaults: MagpieDefaults
    private let weights: MagpieWeights
    private let memory: DecoderMemory
    private let stream: ComputeStream
    /// Whether keys and values are gathered by ggml's own operations: where the device is no CPU, and to compare the two.
    private let gathers: Bool
    /// Position embeddings, one row of the width each.
    private let positions: [Float]
    /// The vectors that make the voices, one row of context length · width per speaker.
    private let voices: [Float]
    private var graphs: GraphCache<Size, Ports>

    /// Texts are padded to a multiple of this, so that few graphs serve all lengths.
    private static let textUnit = 32
    /// Positions that are gathered are padded to a multiple of this, likewise.
    private static let gatheringUnit = 64

    /// Reserves the memory and computes what comes before the frames of every stream without text and voice.
    /// - Parameters:
    ///   - file: the model.
    ///   - seats: streams at the same time.
    ///   - gathers: true to gather keys and values on a CPU, too.
    init(
        _ file: GGUFFile,
        _ weights: MagpieWeights,
        _ defaults: MagpieDefaults,
        seats: Int,
        memory type: ElementType,
        gathers: Bool = false,
        on stream: ComputeStream
    ) throws(VoiceError) {
        self.gathers = gathers || stream.device.kind != .cpu
        // Sizes of a step times lengths of what was spoken: a new length every three seconds.
        graphs = GraphCache(keeping: stream.device.kind == .cpu ? 16 : 48)
        h = weights.h
        self.defaults = defaults
        self.weights = weights
        self.stream = stream
        memory = try DecoderMemory(weights.h, seats: seats, type: type, on: stream.device)
        positions = try file.floats(of: file.tensor(named: "decoder.position_embeddings.weight"))
        voices = try file.floats(of: file.tensor(named: "baked_context_embedding.weight"))
        var x = Array(positions.prefix(h.contextLength * h.width))
        for layer in 0..<h.decoderLayers { x = try beginLayer(layer, x, seat: nil, text: [], prior: nil) }
    }

    // MARK: the beginning of a text

    /// What goes into the first layer before the first frame: the voice's vectors and the positions' embeddings.
    func voice(_ speaker: Int) -> [Float] {
        let count = h.contextLength * h.width
        return (0..<count).map { voices[speaker * count + $0] + positions[$0] }
    }

    /// Computes one layer before the first frame, and what the text is to it.
    /// - Parameters:
    ///   - layer: each, in order.
    ///   - x: what the layer before gave, or ``voice(_:)``.
    ///   - seat: the stream's; nil for what streams share.
    ///   - text: the encoder's output, one row of the width per token.
    ///   - prior: weights of the text's tokens.
    /// - Returns: what the next layer takes.
    func beginLayer(
        _ layer: Int,
        _ x: [Float],
        seat: Int?,
        text: [Float],
        prior: [Float]?
    ) throws(VoiceError) -> [Float] {
        let (count, tokens) = (h.contextLength, text.count / h.width)
        let decoderLayer = DecoderLayer(index: layer, weights: weights, memory: memory)
        let graph = try Graph(on: stream, capacity: 160) { g throws(VoiceError) in
            let input = try g.input("x", shape: [h.width, count])
            let spans = try g.spans(
                "spans",
                count: count,
                rows: memory.rows,
                gathering: gathers ? SpanGathering(sequences: 1, before: 0) : nil
            )
            func result(_ text: DecoderLayer.Text?) throws(VoiceError) -> GraphOutput {
                // Nobody takes what the last layer gives; its keys and values are kept.
                guard layer < h.decoderLayers - 1 else {
                    return try g.output(decoderLayer.selfAttention(g, input.tensor, spans), "y")
                }
                let result = try decoderLayer.build(
                    g,
                    input.tensor,
                    spans: spans,
                    text: text,
                    conditional: text == nil ? 0 : count
                )
                return try g.output(result.x, "y")
            }
            guard seat != nil else { return BeginPorts(x: input, spans: spans, text: nil, y: try result(nil)) }
            let encoded = try g.input("text", shape: [h.width, tokens])
            let mask = try g.input("mask", shape: [tokens, count])
            let places = try g.indices("places", count: tokens, below: memory.textRows)
            let (keys, values) = try decoderLayer.project(g, text: encoded.tensor)
            try g.store(keys, into: memory.textKeys(layer), at: places.tensor)
            try g.store(values, into: memory.textValues(layer), at: places.tensor)
            let text = DecoderLayer.Text(keys: keys, values: values, length: tokens, streams: 1, mask: mask.tensor)
            return BeginPorts(x: input, spans: spans, text: (encoded, mask, places), y: try result(text))
        }
        try graph.write(x, to: graph.ports.x)
        let spans = (0..<count).map { position in
            seat.map { memory.span(seat: $0, position: position, isConditional: true) }
                ?? memory.sharedSpan(position: position)
        }
        try graph.write(spans: spans, to: graph.ports.spans)
        if let ports = graph.ports.text, let seat {
            let row = mask(prior.flatMap { defaults.priorLayers.contains(layer) ? $0 : nil }, tokens, padded: tokens)
            try graph.write(text, to: ports.text)
            try graph.write((0..<count).flatMap { _ in row }, to: ports.mask)
            try graph.write(indices: memory.textRows(seat: seat, tokens, padded: tokens), to: ports.places)
        }
        try graph.run()
        return try graph.read(graph.ports.y)
    }

    private struct BeginPorts {
        var x: GraphInput
        var spans: SpanInput
        var text: (text: GraphInput, mask: GraphInput, places: GraphInput)?
        var y: GraphOutput
    }

    // MARK: a step

    /// Computes one frame of some streams, and keeps their positions.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails; the streams' memory is then undefined.
    func step(_ work: [Work]) throws(VoiceError) -> [Result] {
        let longest = work.reduce(1) { max($0, $1.textLength) }
        let text = min(h.maximumText, (longest + Self.textUnit - 1) / Self.textUnit * Self.textUnit)
        let before = h.contextLength + (work.map(\.frame).max() ?? 0)
        let unit = Self.gatheringUnit
        let size = Size(
            streams: work.count,
            text: text,
            before: gathers ? (before + unit - 1) / unit * unit : nil
        )
        let graph = try graphs.graph(for: size) { () throws(VoiceError) in try build(size) }
        try write(work, text: text, to: graph)
        try graph.run()
        let hidden = try graph.read(graph.ports.hidden)
        let shares = try graph.read(graph.ports.shares)
        guard hidden.allSatisfy(\.isFinite) else {
            throw VoiceError(.fault, "The voice computed values that are not numbers. Its file may be damaged.")
        }
        return work.indices.map { index in
            let (row, other) = (index * h.width, (work.count + index) * h.width)
            return Result(
                conditional: Array(hidden[row..<(row + h.width)]),
                unconditional: Array(hidden[other..<(other + h.width)]),
                attention: attention(shares, index, text, work[index].textLength)
            )
        }
    }

    /// The mean over heads and layers of one stream's shares, which were summed over layers.
    private func attention(_ shares: [Float], _ stream: Int, _ padded: Int, _ length: Int) -> [Float] {
        let factor = 1 / Float(h.crossHeads * defaults.alignmentLayers.count)
        return (0..<length).map { token in
            (0..<h.crossHeads).reduce(Float(0)) { $0 + shares[(stream * h.crossHeads + $1) * padded + token] } * factor
        }
    }

    private func write(_ work: [Work], text: Int, to graph: Graph<Ports>) throws(VoiceError) {
        let ports = graph.ports
        for codebook in 0..<h.codebooks {
            let codes = work.map { $0.codes?[codebook] ?? Int32(h.audioBegin) }
            try graph.write(indices: codes, to: ports.codes[codebook])
        }
        try graph.write(indices: work.map { Int32(h.contextLength + $0.frame) }, to: ports.positions)
        let spans = [true, false].flatMap { isConditional in
            work.map {
                memory.span(seat: $0.seat, position: h.contextLength + $0.frame, isConditional: isConditional)
            }
        }
        try graph.write(spans: spans, to: ports.spans)
        try graph.write(
            indices: work.flatMap { memory.textRows(seat: $0.seat, $0.textLength, padded: text) },
            to: ports.text
        )
        try graph.write(work.flatMap { mask(nil, $0.textLength, padded: text) }, to: ports.mask)
        try graph.write(work.flatMap { mask($0.prior, $0.textLength, padded: text) }, to: ports.guidedMask)
    }

    /// What is added to the scores of a text's tokens. Shares times weights, made to sum to 1 again, are the shares of the
    /// scores plus the weights' logarithms.
    private func mask(_ prior: [Float]?, _ length: Int, padded: Int) -> [Float] {
        (0..<padded).map { token in
            guard token < length else { return -.infinity }
            guard let prior else { return 0 }
            return log(prior[token])
        }
    }

    private func build(_ size: Size) throws(VoiceError) -> Graph<Ports> {
        try Graph(on: stream, capacity: 64 + 4 * h.codebooks + 112 * h.decoderLayers) { g throws(VoiceError) in
            let streams = size.streams
            let positions = try g.indices("positions", count: streams, below: h.positions)
            let spans = try g.spans(
                "spans",
                count: 2 * streams,
                rows: memory.rows,
                gathering: size.before.map { SpanGathering(sequences: 2 * streams, before: $0) }
            )
            let text = try g.indices("text", count: size.text * streams, below: memory.textRows)
            let mask = try g.input("mask", shape: [size.text, 1, 1, streams])
            let guidedMask = try g.input("guided mask", shape: [size.text, 1, 1, streams])
            var (codes, x) = try embedding(g, streams)
            x = try g.add(x, g.rows(of: weights.tensor("decoder.position_embeddings.weight"), at: positions.tensor))
            x = try g.concat(x, x, dimension: 1)
            var shares: Tensor?
            for layer in 0..<h.decoderLayers {
                let result = try DecoderLayer(index: layer, weights: weights, memory: memory).build(
                    g,
                    x,
                    spans: spans,
                    text: DecoderLayer.Text(
                        keys: g.rows(of: memory.textKeys(layer), at: text.tensor),
                        values: g.rows(of: memory.textValues(layer), at: text.tensor),
                        length: size.text,
                        streams: streams,
                        mask: defaults.priorLayers.contains(layer) ? guidedMask.tensor : mask.tensor
                    ),
                    conditional: streams
                )
                x = result.x
                guard let seen = result.shares, defaults.alignmentLayers.contains(layer) else { continue }
                shares = if let sum = shares { try g.add(sum, seen) } else { seen }
            }
            guard let shares else { throw VoiceError(.fault, "No layer tells where in the text the speech is.") }
            return Ports(
                codes: codes,
                positions: positions,
                spans: spans,
                text: text,
                mask: mask,
                guidedMask: guidedMask,
                hidden: try g.output(weights.norm(g, x, "decoder.norm_out"), "hidden"),
                shares: try g.output(shares, "shares")
            )
        }
    }

    /// The mean of the codes' embeddings. Source: NeMo `models/magpietts.py` (`embed_audio_tokens`).
    private func embedding(_ g: GraphBuilder, _ streams: Int) throws(VoiceError) -> ([GraphInput], Tensor) {
        var codes: [GraphInput] = []
        var sum: Tensor?
        for codebook in 0..<h.codebooks {
            let input = try g.indices("codes.\(codebook)", count: streams, below: h.audioVocabulary)
            let rows = try g.rows(of: weights.tensor("audio_embeddings.\(codebook).weight"), at: input.tensor)
            codes.append(input)
            sum = if let sum { try g.add(sum, rows) } else { rows }
        }
        guard let sum else { throw VoiceError(.fault, "The model has no codebooks.") }
        return (codes, try g.scale(sum, by: 1 / Float(h.codebooks)))
    }
}
