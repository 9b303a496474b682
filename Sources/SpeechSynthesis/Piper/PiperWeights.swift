internal import Inference
internal import VoiceCore

/// A voice's parameters: kernels packed for our own loops, biases filled up to whole groups, and the rest as the file has it.
struct PiperWeights {
    let h: PiperHyperparameters
    private let kernels: PackedKernels
    private let computed: Weights
    private let plain: Weights
    /// What the duration predictor's result is shifted and scaled by.
    let durationShift: Float
    let durationScale: Float

    /// Names of the parameters of rectifiers: scale and slope.
    static let rectifier = "rectifier"
    static let meanRectifier = "rectifier.mean"
    static let lastRectifier = "rectifier.last"

    /// Loads the parameters.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is not what it must be, ``VoiceError/Code/unavailable`` when
    ///   the processor has no instructions for the loops, ``VoiceError/Code/exhausted`` when there is no room.
    init(_ file: GGUFFile, _ h: PiperHyperparameters, on device: Device) throws(VoiceError) {
        guard PackedKernels.areSupported(on: device) else {
            throw VoiceError(
                .unavailable,
                "\(device) has no AVX2 or NEON, which the voice '\(h.voice)' needs. Choose a voice of flite."
            )
        }
        let layout = PiperLayout(h)
        try layout.check(file)
        kernels = try PackedKernels(file, tensors: layout.convolutions.map { "\($0.name).weight" }, on: device)
        var values: [(name: String, shape: Shape, elements: [Float])] = []
        for convolution in layout.convolutions {
            var bias: [Float] = []
            if convolution.biases > 0 {
                let once = try file.floats(of: file.tensor(named: "\(convolution.name).bias"))
                while bias.count < convolution.outputs { bias += once }
            }
            let padded = PackedKernel.groups(of: convolution.outputs) * PackedKernel.group
            bias += [Float](repeating: 0, count: padded - bias.count)
            values.append((convolution.name, [padded], bias))
        }
        let mean = 1 / Float(h.blockTaps.count)
        values += [
            (Self.rectifier, [2], [1, h.slope]), (Self.meanRectifier, [2], [mean, h.slope]),
            (Self.lastRectifier, [2], [mean, h.lastSlope]),
        ]
        computed = try Weights(computed: values, from: file.path, on: device)
        plain = try Weights(file, on: device, tensors: layout.tensors.map(\.name))
        // The second row's only matter when the flow is trained.
        durationShift = try file.floats(of: file.tensor(named: "duration.shift"))[0]
        durationScale = try file.floats(of: file.tensor(named: "duration.scale"))[0]
        self.h = h
    }

    /// A parameter that is no convolution's.
    func tensor(_ name: String) throws(VoiceError) -> Tensor { try plain.tensor(name) }

    /// Scale and slope of a rectifier.
    func slope(_ name: String) throws(VoiceError) -> Tensor { try computed.tensor(name) }

    /// Columns that an output of a convolution sees.
    func taps(_ name: String) throws(VoiceError) -> Int { try kernels.kernel("\(name).weight").taps }

    /// Convolves columns that have all that the taps reach.
    func convolve(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ name: String,
        dilation: Int = 1,
        adding residual: Tensor? = nil
    ) throws(VoiceError) -> Tensor {
        try g.causalConvolution(
            x,
            kernel: kernels.kernel("\(name).weight"),
            bias: computed.tensor(name),
            dilation: dilation,
            residual: residual
        )
    }

    /// Convolves to `range`, centred: the output at a position sees as many columns before it as after it; beyond 0 and
    /// `length` are zeros.
    func convolve(
        _ g: GraphBuilder,
        _ x: Columns,
        _ name: String,
        dilation: Int = 1,
        to range: Range<Int>,
        of length: Int,
        adding residual: Columns? = nil
    ) throws(VoiceError) -> Columns {
        let reach = try (taps(name) - 1) / 2 * dilation
        let wanted = (range.lowerBound - reach)..<(range.upperBound + reach)
        let input = try x.padded(g, to: wanted, of: length)
        let added: Tensor? = if let residual { try residual.part(g, range) } else { nil }
        return Columns(try convolve(g, input, name, dilation: dilation, adding: added), range)
    }
}
