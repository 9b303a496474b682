internal import Inference
internal import VoiceCore

/// The flow that makes what the decoder speaks of noise around the text encoder's means: couplings that shift one half of the
/// channels by a function of the other half.
///
/// A frame depends on ``reach`` frames on both sides, so any stretch can be computed by itself. Every convolution computes
/// exactly the columns that are needed. Sources: VITS (arXiv 2106.06103), section 2.5.2; jaywalnut310/vits @ 2e561ba,
/// `modules.py` (`ResidualCouplingLayer`, in reverse; `WN`). The flips of channels between couplings are in the weights.
struct PiperFlow {
    /// Which graph a stretch needs: the same one does for others with the same place in what it sees.
    struct Geometry: Hashable {
        /// The frames wanted, counted from the first one that goes in.
        var wanted: Range<Int>
        /// The frames that go in, and whether they are the sentence's first and last.
        var count: Int
        var isFirst: Bool
        var isLast: Bool
    }

    private struct Ports {
        var lower: GraphInput
        var upper: GraphInput
        var frames: GraphOutput
    }

    private let weights: PiperWeights
    private let stream: ComputeStream
    private var graphs = GraphCache<Geometry, Ports>(keeping: 4)
    private var h: PiperHyperparameters { weights.h }

    init(_ weights: PiperWeights, on stream: ComputeStream) {
        self.weights = weights
        self.stream = stream
    }

    /// The frames that `frames` of a sentence of `length` frames depend on.
    static func input(for frames: Range<Int>, of length: Int, _ h: PiperHyperparameters) -> Range<Int> {
        frames.widened(by: reach(h), within: length)
    }

    /// How many frames on each side a frame depends on.
    static func reach(_ h: PiperHyperparameters) -> Int {
        h.couplings * h.flowDilations.reduce(0) { $0 + (h.flowTaps - 1) / 2 * $1 }
    }

    /// Computes a stretch of a sentence.
    /// - Parameters:
    ///   - frames: the frames wanted.
    ///   - length: frames of the sentence.
    ///   - lower: the first half of the channels of the frames of ``input(for:of:_:)``, shape [half, frames].
    ///   - upper: the second half.
    /// - Returns: shape [width, frames].
    mutating func run(
        _ frames: Range<Int>,
        of length: Int,
        lower: [Float],
        upper: [Float]
    ) throws(VoiceError) -> [Float] {
        let input = Self.input(for: frames, of: length, h)
        let geometry = Geometry(
            wanted: frames.shifted(by: -input.lowerBound),
            count: input.count,
            isFirst: input.lowerBound == 0,
            isLast: input.upperBound == length
        )
        let (weights, stream) = (weights, stream)
        let graph = try graphs.graph(for: geometry) { () throws(VoiceError) in
            try Graph(on: stream, capacity: 1024) { g throws(VoiceError) in
                try Self.build(g, weights, frames, input, length)
            }
        }
        try graph.write(lower, to: graph.ports.lower)
        try graph.write(upper, to: graph.ports.upper)
        try graph.run()
        return try graph.read(graph.ports.frames)
    }

    private static func build(
        _ g: GraphBuilder,
        _ weights: PiperWeights,
        _ frames: Range<Int>,
        _ input: Range<Int>,
        _ length: Int
    ) throws(VoiceError) -> Ports {
        let h = weights.h
        let lower = try g.input("lower", shape: [h.half, input.count])
        let upper = try g.input("upper", shape: [h.half, input.count])
        // From the end: what each coupling has to give of its halves.
        let reach = h.flowDilations.reduce(0) { $0 + (h.flowTaps - 1) / 2 * $1 }
        var wanted = [frames]
        for _ in 1..<h.couplings { wanted.insert(wanted[0].widened(by: reach, within: length), at: 0) }
        // The first coupling shifts the lower half by the upper one, the next the other way round.
        var target = Columns(lower.tensor, input)
        var source = Columns(upper.tensor, input)
        for coupling in 0..<h.couplings {
            let range = wanted[coupling]
            let shift = try Self.shift(g, weights, coupling, source, to: range, of: length)
            let shifted = try g.subtract(target.part(g, range), shift)
            (target, source) = (source, Columns(shifted, range))
        }
        // Both were exchanged as often as there are couplings, an even number.
        let joined = try g.concat(target.part(g, frames), source.part(g, frames), dimension: 0)
        return Ports(lower: lower, upper: upper, frames: try g.output(joined, "frames"))
    }

    /// A coupling's shift of the target half, for `range`.
    private static func shift(
        _ g: GraphBuilder,
        _ weights: PiperWeights,
        _ coupling: Int,
        _ source: Columns,
        to range: Range<Int>,
        of length: Int
    ) throws(VoiceError) -> Tensor {
        let (h, name) = (weights.h, "flow.\(coupling)")
        // From the end: which columns each layer has to compute.
        var needed = [range]
        for dilation in h.flowDilations.reversed() {
            needed.insert(needed[0].widened(by: (h.flowTaps - 1) / 2 * dilation, within: length), at: 0)
        }
        var x = try weights.convolve(g, source, "\(name).pre", to: needed[0], of: length)
        var sum: Columns?
        for (layer, dilation) in h.flowDilations.enumerated() {
            let own = needed[layer + 1]
            let inner = try weights.convolve(g, x, "\(name).\(layer).in", dilation: dilation, to: own, of: length)
            let gated = Columns(try g.gate(inner.tensor), own)
            sum = try weights.convolve(g, gated, "\(name).\(layer).skip", to: range, of: length, adding: sum)
            guard layer + 1 < h.flowLayers else { break }
            x = try weights.convolve(g, gated, "\(name).\(layer).residual", to: own, of: length, adding: x)
        }
        guard let sum else { throw VoiceError(.fault, "A coupling has no layers.") }
        return try weights.convolve(g, sum, "\(name).post", to: range, of: length).tensor
    }
}
