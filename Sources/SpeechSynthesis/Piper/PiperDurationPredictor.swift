internal import Inference
internal import VoiceCore

/// How long each symbol lasts: noise, made into logarithms of durations by a flow that is conditioned on the text.
///
/// Sources: VITS (arXiv 2106.06103), section 2.2.2 and appendix A; jaywalnut310/vits @ 2e561ba, `models.py`
/// (`StochasticDurationPredictor`, in reverse, without the flow it leaves out), `modules.py` (`DDSConv`, `ConvFlow`).
struct PiperDurationPredictor {
    private let weights: PiperWeights
    private let stream: ComputeStream
    private var h: PiperHyperparameters { weights.h }

    init(_ weights: PiperWeights, on stream: ComputeStream) {
        self.weights = weights
        self.stream = stream
    }

    /// Logarithms of durations in frames, at the voice's own pace.
    /// - Parameters:
    ///   - text: the text encoder's result, shape [width, symbols].
    ///   - noise: two rows of symbols.
    /// - Returns: one for each symbol.
    func logarithms(_ text: [Float], noise: [Float]) throws(VoiceError) -> [Float] {
        let symbols = text.count / h.width
        let condition = try condition(text)
        // Each flow is after an exchange of the rows: the first row conditions, the second is transformed.
        var (first, second) = (Array(noise[..<symbols]), Array(noise[symbols...]))
        for flow in 0..<h.durationFlows {
            swap(&first, &second)
            let parameters = try parameters(flow, of: first, condition)
            for index in second.indices {
                let own = parameters[(index * h.splineParameters)..<((index + 1) * h.splineParameters)]
                second[index] = RationalQuadraticSpline(own, h).inverse(second[index])
            }
        }
        return second.map { ($0 - weights.durationShift) * weights.durationScale }
    }

    private func condition(_ text: [Float]) throws(VoiceError) -> [Float] {
        let graph = try Graph(on: stream, capacity: 128) { g throws(VoiceError) in
            let text = try g.input("text", shape: [h.width, text.count / h.width])
            let x = try separable(g, weights.convolve(g, text.tensor, "duration.pre"), "duration")
            return (text: text, x: try g.output(weights.convolve(g, x, "duration.proj"), "condition"))
        }
        try graph.write(text, to: graph.ports.text)
        try graph.run()
        return try graph.read(graph.ports.x)
    }

    private func parameters(_ flow: Int, of row: [Float], _ condition: [Float]) throws(VoiceError) -> [Float] {
        let name = "duration.flow.\(flow)"
        let graph = try Graph(on: stream, capacity: 128) { g throws(VoiceError) in
            let input = try g.input("row", shape: [1, row.count])
            let condition = try g.input("condition", shape: [h.width, row.count])
            let x = try weights.convolve(g, input.tensor, "\(name).pre", adding: condition.tensor)
            let parameters = try weights.convolve(g, separable(g, x, name), "\(name).proj")
            return (row: input, condition: condition, parameters: try g.output(parameters, "parameters"))
        }
        try graph.write(row, to: graph.ports.row)
        try graph.write(condition, to: graph.ports.condition)
        try graph.run()
        return try graph.read(graph.ports.parameters)
    }

    /// Layers of a convolution of each channel by itself, taps ever farther apart, then a product of all channels.
    private func separable(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        var x = x
        var dilation = 1
        for layer in 0..<h.durationLayers {
            let name = "\(name).\(layer)"
            let near = try activatedNorm(g, depthwise(g, x, "\(name).depthwise", dilation), "\(name).norm1")
            let mixed = try weights.convolve(g, near, "\(name).pointwise")
            x = try g.add(x, activatedNorm(g, mixed, "\(name).norm2"))
            dilation *= h.durationTaps
        }
        return x
    }

    private func activatedNorm(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        let scaled = try g.multiply(
            g.norm(x, epsilon: PiperHyperparameters.epsilon),
            weights.tensor("\(name).weight")
        )
        return try g.activated(scaled, bias: weights.tensor("\(name).bias"), .geluExact)
    }

    private func depthwise(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ name: String,
        _ dilation: Int
    ) throws(VoiceError) -> Tensor {
        let (symbols, reach) = (x.shape[1], (h.durationTaps - 1) / 2 * dilation)
        let padded = try g.pad(x, dimension: 1, before: reach, after: reach)
        let kernel = try weights.tensor("\(name).weight")
        var sum: Tensor?
        for tap in 0..<h.durationTaps {
            let shifted = try g.slice(padded, dimension: 1, (tap * dilation)..<(tap * dilation + symbols))
            let product = try g.multiply(shifted, g.slice(kernel, dimension: 1, tap..<(tap + 1)))
            if let previous = sum { sum = try g.add(previous, product) } else { sum = product }
        }
        guard let sum else { throw VoiceError(.fault, "A convolution has no taps.") }
        return try g.add(sum, weights.tensor("\(name).bias"))
    }
}
