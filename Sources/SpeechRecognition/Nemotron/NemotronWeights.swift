internal import Inference
internal import VoiceCore

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The encoder's parameters in the form that its graphs take them: those of the file as they are, and a few computed from
/// them once.
///
/// - the position matrices of all layers are multiplied with the table of positions and then dropped: the products depend on
///   nothing else;
/// - 8-bit matrices are packed for our own kernels where the CPU has them;
/// - the subsampling's kernels are laid out channel by channel, and biases folded where nothing lies between them.
///
/// Every tensor's name, shape and type is checked before ggml sees it.
struct NemotronWeights {
    private let h: NemotronHyperparameters
    private let file: Weights
    private let packed: PackedWeights
    private let computed: Weights
    /// The most frames that a step can have.
    let maximumFrames: Int

    /// Loads and computes.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is missing, or has another shape or type.
    init(_ source: GGUFFile, _ h: NemotronHyperparameters, maximumFrames: Int, on device: Device) throws(VoiceError) {
        self.h = h
        self.maximumFrames = maximumFrames
        let layout = NemotronLayout(h)
        try layout.check(source)
        let names = layout.encoder.map(\.name)
        let packed = try PackedWeights(source, tensors: names, on: device)
        self.packed = packed
        file = try Weights(source, on: device, tensors: names.filter { packed.matrix($0) == nil }) { tensor in
            // Kernels that are no matrices, in the one type that their operations take.
            tensor.name.hasSuffix("depthwise_conv.weight") ? .f32 : nil
        }
        var values = try SubsamplingKernels(source, h).tensors
        for layer in 0..<h.layers {
            values.append(try PositionTable(source, h, layer: layer, maximumFrames: maximumFrames).tensor)
        }
        computed = try Weights(computed: values, from: source.path, on: device)
    }

    /// A parameter by its name in the file, or the name of a computed one.
    func tensor(_ name: String) throws(VoiceError) -> Tensor {
        try computed.has(name) ? computed.tensor(name) : file.tensor(name)
    }

    /// A linear layer: the matrix `name.weight`, and `name.bias` where wanted.
    func linear(_ g: GraphBuilder, _ x: Tensor, _ name: String, bias: Bool = true) throws(VoiceError) -> Tensor {
        let product: Tensor
        if let matrix = packed.matrix("\(name).weight") {
            product = try g.matmul(matrix, x)
        } else {
            product = try g.matmul(tensor("\(name).weight"), x)
        }
        return try bias ? g.add(product, tensor("\(name).bias")) : product
    }

    /// Positions projected for a layer, from the most distant that a step of `frames` frames needs:
    /// shape [head width, left context + 2 · frames − 1, heads].
    func positions(layer: Int, frames: Int, _ g: GraphBuilder) throws(VoiceError) -> Tensor {
        let first = maximumFrames - frames
        return try g.slice(
            computed.tensor(PositionTable.name(layer)),
            dimension: 1,
            first..<(first + h.leftContext + 2 * frames - 1)
        )
    }
}

/// The subsampling's kernels as its operations take them.
private struct SubsamplingKernels {
    private(set) var tensors: [(name: String, shape: Shape, elements: [Float])] = []

    init(_ file: GGUFFile, _ h: NemotronHyperparameters) throws(VoiceError) {
        let channels = h.subsamplingChannels
        func floats(_ name: String) throws(VoiceError) -> [Float] {
            try file.floats(of: file.tensor(named: "encoder.pre_encode.conv.\(name)"))
        }
        // Nine taps, time by time, then the bias.
        let (taps, bias) = (try floats("0.weight"), try floats("0.bias"))
        var windows = [Float](repeating: 0, count: Subsampling.windowLength * channels)
        for channel in 0..<channels {
            for tap in 0..<9 { windows[channel * Subsampling.windowLength + tap] = taps[channel * 9 + tap] }
            windows[channel * Subsampling.windowLength + 9] = bias[channel]
        }
        tensors.append(("subsampling.1", [Subsampling.windowLength, channels], windows))
        tensors.append(("subsampling.zeros", [channels, 1], [Float](repeating: 0, count: channels)))
        for (number, depthwise, pointwise) in [(2, 2, 3), (3, 5, 6)] {
            let kernel = try floats("\(depthwise).weight")
            var turned = kernel
            for channel in 0..<channels {
                for tap in 0..<9 { turned[tap * channels + channel] = kernel[channel * 9 + tap] }
            }
            tensors.append(("subsampling.\(number).depthwise", [channels, 1, 3, 3], turned))
            let (matrix, inner) = (try floats("\(pointwise).weight"), try floats("\(depthwise).bias"))
            var outer = try floats("\(pointwise).bias")
            for row in 0..<channels {
                for column in 0..<channels { outer[row] += matrix[row * channels + column] * inner[column] }
            }
            tensors.append(("subsampling.\(number)", [channels, channels], matrix))
            tensors.append(("subsampling.\(number).bias", [channels], outer))
        }
    }
}

/// One layer's projected table of relative positions.
///
/// Position p has the sines of p / 10000^(2k / width) in even places and their cosines in odd ones, multiplied by the layer's
/// matrix. Row 0 is the greatest distance, left context + frames − 1. Source: NeMo
/// `parts/submodules/multi_head_attention.py` (`RelPositionalEncoding`, 2.6.0rc0).
private struct PositionTable {
    let tensor: (name: String, shape: Shape, elements: [Float])

    static func name(_ layer: Int) -> String { "positions.\(layer)" }

    init(
        _ file: GGUFFile,
        _ h: NemotronHyperparameters,
        layer: Int,
        maximumFrames: Int
    ) throws(VoiceError) {
        let count = h.leftContext + 2 * maximumFrames - 1
        let name = "encoder.layers.\(layer).self_attn.linear_pos.weight"
        let stream = try ComputeStream(on: .cpu())
        // In F32: rounding the table to the matrix's 8 bits would be an error of our own.
        let weights = try Weights(file, on: stream.device, tensors: [name]) { _ in .f32 }
        let graph = try Graph(on: stream) { g throws(VoiceError) in
            let table = try g.input("positions", shape: [h.width, count])
            return (table: table, result: try g.output(g.matmul(weights.tensor(name), table.tensor), "projected"))
        }
        let farthest = h.leftContext + maximumFrames - 1
        try graph.write(Self.sinusoids(width: h.width, from: farthest, count: count), to: graph.ports.table)
        try graph.run()
        let projected = try graph.read(graph.ports.result)
        var elements = [Float](repeating: 0, count: projected.count)
        for row in 0..<count {
            for head in 0..<h.heads {
                let (from, to) = (row * h.width + head * h.headWidth, (head * count + row) * h.headWidth)
                for index in 0..<h.headWidth { elements[to + index] = projected[from + index] }
            }
        }
        tensor = (Self.name(layer), [h.headWidth, count, h.heads], elements)
    }

    private static func sinusoids(width: Int, from farthest: Int, count: Int) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(width * count)
        let rates = stride(from: 0, to: width, by: 2).map { exp(-Double($0) * log(10_000) / Double(width)) }
        for row in 0..<count {
            for rate in rates {
                let angle = Double(farthest - row) * rate
                values.append(Float(sin(angle)))
                values.append(Float(cos(angle)))
            }
        }
        return values
    }
}
