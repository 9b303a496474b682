internal import Inference
internal import VoiceCore

/// The layers by our own loops, on the CPU. Weights keep the file's precision, sums are F32.
struct PackedNanoCodecLayers: NanoCodecLayers {
    private let kernels: PackedKernels
    private let computed: Weights

    /// Packs the parameters.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is not what it must be, ``VoiceError/Code/exhausted`` when
    ///   there is no room.
    init(_ file: GGUFFile, _ h: NanoCodecHyperparameters, on device: Device) throws(VoiceError) {
        let parameters = NanoCodecParameters(file: file)
        kernels = try PackedKernels(file, tensors: h.convolutions.map { "\($0.name).w" }, on: device)
        var values: [(name: String, shape: Shape, elements: [Float])] = []
        for (name, outputs) in h.convolutions.map({ ($0.name, $0.outputs) })
            + h.upsamplings.map({ ($0.name, $0.outputs) })
        {
            var bias = try parameters.values("\(name).b")
            let padded = PackedKernel.groups(of: outputs) * PackedKernel.group
            bias += [Float](repeating: 0, count: padded - outputs)
            values.append(("\(name).b", [padded], bias))
        }
        for activation in h.activations {
            // Repeated until they fill whole groups.
            var repeats = 1
            while repeats * activation.channels % PackedKernel.group != 0 { repeats += 1 }
            let (alpha, inverse, slope) = try parameters.snake(activation)
            let table = [alpha, inverse, slope].flatMap { row in (0..<repeats).flatMap { _ in row } }
            values.append((activation.name, [repeats * activation.channels, 3], table))
        }
        for upsampling in h.upsamplings {
            let groups = PackedKernel.groups(of: upsampling.outputs)
            values.append(
                (
                    "\(upsampling.name).w", [PackedKernel.group, 4, upsampling.rate, groups],
                    Self.pack(try parameters.grouped(upsampling), upsampling)
                )
            )
        }
        computed = try Weights(computed: values, from: file.path, on: device)
    }

    func convolve(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ convolution: NanoCodecHyperparameters.Convolution,
        adding residual: Tensor?
    ) throws(VoiceError) -> Tensor {
        try g.causalConvolution(
            x,
            kernel: kernels.kernel("\(convolution.name).w"),
            bias: computed.tensor("\(convolution.name).b"),
            dilation: convolution.dilation,
            residual: residual
        )
    }

    func upsample(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ upsampling: NanoCodecHyperparameters.Upsampling
    ) throws(VoiceError) -> Tensor {
        try g.causalUpsampling(
            x,
            kernel: computed.tensor("\(upsampling.name).w"),
            bias: computed.tensor("\(upsampling.name).b"),
            outputs: upsampling.outputs
        )
    }

    func activate(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ activation: NanoCodecHyperparameters.Activation,
        after history: Tensor
    ) throws(VoiceError) -> Tensor {
        try g.halfSnake(x, parameters: computed.tensor(activation.name), after: history)
    }

    private static func pack(_ grouped: [Float], _ upsampling: NanoCodecHyperparameters.Upsampling) -> [Float] {
        let (rate, lanes) = (upsampling.rate, PackedKernel.group)
        var packed = [Float](repeating: 0, count: PackedKernel.groups(of: upsampling.outputs) * rate * 4 * lanes)
        for output in 0..<upsampling.outputs {
            for phase in 0..<rate {
                for which in 0..<4 {
                    // The earlier column is met by the later taps.
                    let (isLater, parity) = (which / 2 == 1, which % 2)
                    let tap = isLater ? phase : phase + rate
                    let place = ((output / lanes * rate + phase) * 4 + which) * lanes + output % lanes
                    packed[place] = grouped[(output * 2 + parity) * upsampling.taps + tap]
                }
            }
        }
        return packed
    }
}
