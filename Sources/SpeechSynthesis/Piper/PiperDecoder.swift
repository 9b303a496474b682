internal import Inference
internal import VoiceCore

/// Frames to samples: HiFi-GAN's generator with blocks of type 2.
///
/// A sample depends on a few frames on both sides, so any stretch can be computed by itself; every convolution computes exactly
/// the columns that are needed, which costs about two frames more than the whole at once. Sources: Kong, Kim and Bae,
/// "HiFi-GAN" (arXiv 2010.05646), section 2.3 and appendix A.1; jaywalnut310/vits @ 2e561ba, `models.py` (`Generator`),
/// `modules.py` (`ResBlock2`).
struct PiperDecoder {
    private struct Ports {
        var frames: GraphInput
        var samples: GraphOutput
    }

    /// The columns that each stage has to give, from the frames that go in to the samples.
    private struct Plan {
        /// Frames that go in, after the first convolution, after each stage's blocks.
        var frames: Range<Int>
        var first: Range<Int>
        var stages: [(upsampled: Range<Int>, mean: Range<Int>)] = []

        init(_ wanted: Range<Int>, of length: Int, _ h: PiperHyperparameters) {
            let reach = (h.decoderTaps - 1) / 2
            var total = length * h.hop
            var needed = (wanted.lowerBound * h.hop..<wanted.upperBound * h.hop).widened(by: reach, within: total)
            for rate in h.rates.reversed() {
                let upsampled = needed.widened(by: PiperDecoder.blockReach(h), within: total)
                stages.insert((upsampled, needed), at: 0)
                total /= rate
                needed = PiperDecoder.inputs(of: upsampled, rate).clamped(to: 0..<total)
            }
            first = needed
            frames = needed.widened(by: reach, within: length)
        }
    }

    private let weights: PiperWeights
    private let stream: ComputeStream
    private var graphs = GraphCache<PiperFlow.Geometry, Ports>(keeping: 6)
    private var h: PiperHyperparameters { weights.h }

    init(_ weights: PiperWeights, on stream: ComputeStream) {
        self.weights = weights
        self.stream = stream
    }

    /// The frames that the samples of `frames` of a sentence of `length` frames depend on.
    static func input(for frames: Range<Int>, of length: Int, _ h: PiperHyperparameters) -> Range<Int> {
        Plan(frames, of: length, h).frames
    }

    /// Computes the samples of a stretch of a sentence.
    /// - Parameters:
    ///   - frames: whose samples are wanted.
    ///   - length: frames of the sentence.
    ///   - columns: the frames of ``input(for:of:_:)``, shape [width, frames].
    /// - Returns: hop samples a frame, in [-1, 1].
    mutating func run(_ frames: Range<Int>, of length: Int, _ columns: [Float]) throws(VoiceError) -> [Float] {
        let plan = Plan(frames, of: length, h)
        let geometry = PiperFlow.Geometry(
            wanted: frames.shifted(by: -plan.frames.lowerBound),
            count: plan.frames.count,
            isFirst: plan.frames.lowerBound == 0,
            isLast: plan.frames.upperBound == length
        )
        let (weights, stream) = (weights, stream)
        let graph = try graphs.graph(for: geometry) { () throws(VoiceError) in
            try Graph(on: stream, capacity: 512) { g throws(VoiceError) in
                try Self.build(g, weights, plan, frames, length)
            }
        }
        try graph.write(columns, to: graph.ports.frames)
        try graph.run()
        return try graph.read(graph.ports.samples)
    }

    private static func build(
        _ g: GraphBuilder,
        _ weights: PiperWeights,
        _ plan: Plan,
        _ frames: Range<Int>,
        _ length: Int
    ) throws(VoiceError) -> Ports {
        let h = weights.h
        let input = try g.input("frames", shape: [h.width, plan.frames.count])
        let columns = Columns(input.tensor, plan.frames)
        var x = try weights.convolve(g, columns, "decoder.pre", to: plan.first, of: length)
        x = try rectified(g, weights, x)
        var total = length
        for (stage, rate) in h.rates.enumerated() {
            let (upsampled, mean) = plan.stages[stage]
            x = try upsample(g, weights, x, stage, to: upsampled, of: total)
            total *= rate
            // All blocks begin with the same.
            let active = try rectified(g, weights, x)
            var sums: [Tensor] = []
            for block in h.blockTaps.indices {
                sums.append(try self.block(g, weights, x, active, stage, block, to: mean, of: total))
            }
            let isLast = stage == h.rates.count - 1
            let slope = try weights.slope(isLast ? PiperWeights.lastRectifier : PiperWeights.meanRectifier)
            x = Columns(try g.leakyReLU(sums, parameters: slope), mean)
        }
        let samples = frames.lowerBound * h.hop..<frames.upperBound * h.hop
        let sound = try weights.convolve(g, x, "decoder.post", to: samples, of: total)
        return Ports(frames: input, samples: try g.output(g.tanh(sound.tensor), "samples"))
    }

    /// A transposed convolution over two columns: output rate · j + phase − rate / 2 sees the columns j − 1 and j.
    private static func upsample(
        _ g: GraphBuilder,
        _ weights: PiperWeights,
        _ x: Columns,
        _ stage: Int,
        to range: Range<Int>,
        of length: Int
    ) throws(VoiceError) -> Columns {
        let (rate, channels) = (weights.h.rates[stage], weights.h.channels(after: stage))
        let inputs = inputs(of: range, rate)
        let phases = try weights.convolve(g, x.padded(g, to: inputs, of: length), "decoder.\(stage).up")
        let first = (inputs.lowerBound + 1) * rate - rate / 2
        let count = rate * (inputs.count - 1)
        let all = Columns(try g.reshape(phases, [channels, count]), first..<(first + count))
        return Columns(try all.part(g, range), range)
    }

    /// The columns that a range of upsampled ones sees.
    private static func inputs(of range: Range<Int>, _ rate: Int) -> Range<Int> {
        (range.lowerBound + rate / 2) / rate - 1..<(range.upperBound - 1 + rate / 2) / rate + 1
    }

    private static func rectified(
        _ g: GraphBuilder,
        _ weights: PiperWeights,
        _ x: Columns
    ) throws(VoiceError) -> Columns {
        Columns(try g.leakyReLU([x.tensor], parameters: weights.slope(PiperWeights.rectifier)), x.range)
    }

    /// x + convolution(leaky(x)), again and again with other dilations.
    /// - Parameter active: leaky(x).
    private static func block(
        _ g: GraphBuilder,
        _ weights: PiperWeights,
        _ x: Columns,
        _ active: Columns,
        _ stage: Int,
        _ block: Int,
        to range: Range<Int>,
        of length: Int
    ) throws(VoiceError) -> Tensor {
        let (h, dilations) = (weights.h, weights.h.blockDilations[block])
        // From the end: which columns each convolution has to compute.
        var needed = [range]
        for dilation in dilations.reversed() {
            needed.insert(needed[0].widened(by: (h.blockTaps[block] - 1) / 2 * dilation, within: length), at: 0)
        }
        var x = x
        for (index, dilation) in dilations.enumerated() {
            x = try weights.convolve(
                g,
                index == 0 ? active : rectified(g, weights, x),
                "decoder.\(stage).block.\(block).\(index)",
                dilation: dilation,
                to: needed[index + 1],
                of: length,
                adding: x
            )
        }
        return x.tensor
    }

    /// Columns on each side that the widest block sees.
    private static func blockReach(_ h: PiperHyperparameters) -> Int {
        zip(h.blockTaps, h.blockDilations).map { taps, dilations in
            dilations.reduce(0) { $0 + (taps - 1) / 2 * $1 }
        }.max() ?? 0
    }
}
