internal import Inference
internal import VoiceCore

/// Symbols to vectors: a transformer whose attention knows how far symbols nearby are away, and whose feed-forward blocks are
/// convolutions.
///
/// Columns are symbols; everything sees the whole sentence. Sources: VITS (arXiv 2106.06103), section 3.2;
/// jaywalnut310/vits @ 2e561ba, `attentions.py` (`Encoder`, `MultiHeadAttention`), `models.py` (`TextEncoder`).
struct PiperTextEncoder {
    private let weights: PiperWeights
    private let stream: ComputeStream
    private var h: PiperHyperparameters { weights.h }

    init(_ weights: PiperWeights, on stream: ComputeStream) {
        self.weights = weights
        self.stream = stream
    }

    /// The vectors of symbols before the first layer.
    /// - Parameter ids: each below the vocabulary's size.
    /// - Returns: shape [width, symbols].
    func embed(_ ids: [Int32]) throws(VoiceError) -> [Float] {
        let graph = try Graph(on: stream, capacity: 16) { g throws(VoiceError) in
            let symbols = try g.indices("symbols", count: ids.count, below: h.vocabulary)
            let rows = try g.rows(of: weights.tensor("text.embedding"), at: symbols.tensor)
            return (symbols: symbols, x: try g.output(g.scale(rows, by: Float(h.width).squareRoot()), "x"))
        }
        try graph.write(indices: ids, to: graph.ports.symbols)
        try graph.run()
        return try graph.read(graph.ports.x)
    }

    /// One layer.
    /// - Parameter x: shape [width, symbols], as the result.
    func layer(_ index: Int, _ x: [Float]) throws(VoiceError) -> [Float] {
        let graph = try Graph(on: stream, capacity: 128) { g throws(VoiceError) in
            let input = try g.input("x", shape: [h.width, x.count / h.width])
            return (x: input, y: try g.output(layer(g, index, input.tensor), "y"))
        }
        try graph.write(x, to: graph.ports.x)
        try graph.run()
        return try graph.read(graph.ports.y)
    }

    /// What the encoder says of the sound of each symbol: means, and logarithms of deviations.
    /// - Parameter x: the last layer's result, shape [width, symbols], as those of the result.
    func statistics(_ x: [Float]) throws(VoiceError) -> (means: [Float], deviations: [Float]) {
        let graph = try Graph(on: stream, capacity: 16) { g throws(VoiceError) in
            let input = try g.input("x", shape: [h.width, x.count / h.width])
            let means = try weights.convolve(g, input.tensor, "text.mean")
            let deviations = try weights.convolve(g, input.tensor, "text.deviation")
            return (
                x: input, means: try g.output(means, "means"), deviations: try g.output(deviations, "deviations")
            )
        }
        try graph.write(x, to: graph.ports.x)
        try graph.run()
        return (try graph.read(graph.ports.means), try graph.read(graph.ports.deviations))
    }

    // MARK: a layer

    private func layer(_ g: GraphBuilder, _ index: Int, _ x: Tensor) throws(VoiceError) -> Tensor {
        let name = "text.\(index)"
        let attended = try norm(g, attention(g, name, x), "\(name).norm1")
        let all = 0..<x.shape[1]
        let columns = Columns(attended, all)
        let inner = try weights.convolve(g, columns, "\(name).ff1", to: all, of: all.count).tensor
        let fed = try weights.convolve(
            g,
            Columns(g.relu(inner), all),
            "\(name).ff2",
            to: all,
            of: all.count,
            adding: columns
        )
        return try norm(g, fed.tensor, "\(name).norm2")
    }

    private func norm(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        try g.layerNorm(
            x,
            weight: weights.tensor("\(name).weight"),
            bias: weights.tensor("\(name).bias"),
            epsilon: PiperHyperparameters.epsilon
        )
    }

    /// x + attention(x).
    private func attention(_ g: GraphBuilder, _ name: String, _ x: Tensor) throws(VoiceError) -> Tensor {
        let symbols = x.shape[1]
        func head(_ part: String) throws(VoiceError) -> Tensor {
            let projected = try weights.convolve(g, x, "\(name).\(part)")
            return try g.permute(g.reshape(projected, [h.headWidth, h.heads, symbols]), [0, 2, 1, 3])
        }
        let scaled = try g.contiguous(head("q"))
        let q = try g.scale(scaled, by: 1 / Float(h.headWidth).squareRoot())
        let near = try spread(g, g.matmul(weights.tensor("\(name).near_keys"), q))
        let scores = try g.add(g.matmul(head("k"), q), near)
        let shares = try g.softmax(scores)
        let far = try g.mix(head("v"), by: shares)
        let values = try g.add(far, g.matmul(weights.tensor("\(name).near_values"), gathered(g, shares)))
        let joined = try g.contiguous(g.permute(values, [0, 2, 1, 3]))
        return try weights.convolve(g, g.reshape(joined, [h.width, symbols]), "\(name).o", adding: x)
    }

    /// Scores of near symbols moved to the symbols that they belong to: element (j, i) of the result is element
    /// (j − i + window, i) of x, and 0 farther away.
    ///
    /// With rows filled up to symbols + 2 · window + 1 and read in rows that are one shorter, each row begins one later.
    /// - Parameter x: shape [2 · window + 1, symbols, heads].
    /// - Returns: shape [symbols, symbols, heads].
    private func spread(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let (near, symbols, heads) = (x.shape[0], x.shape[1], x.shape[2])
        let long = try g.reshape(g.pad(x, dimension: 0, after: symbols), [(near + symbols) * symbols, heads])
        let length = near + symbols - 1
        let short = try g.contiguous(g.slice(long, dimension: 0, 0..<(length * symbols)))
        let rows = try g.reshape(short, [length, symbols, heads])
        return try g.contiguous(g.slice(rows, dimension: 0, h.window..<(h.window + symbols)))
    }

    /// The reverse of ``spread(_:_:)``: element (r, i) of the result is element (i + r − window, i) of x, and 0 where there is
    /// none.
    private func gathered(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let (symbols, heads, near) = (x.shape[0], x.shape[2], 2 * h.window + 1)
        let length = symbols + near - 1
        let wide = try g.pad(x, dimension: 0, before: h.window, after: h.window)
        let filled = try g.pad(g.reshape(wide, [length * symbols, heads]), dimension: 0, after: symbols)
        let rows = try g.reshape(filled, [length + 1, symbols, heads])
        return try g.contiguous(g.slice(rows, dimension: 0, 0..<near))
    }
}
