internal import Inference
internal import VoiceCore

/// The layers by ggml's operations, in F32, for any device: convolutions as products with their windows.
struct PlainNanoCodecLayers: NanoCodecLayers {
    private let weights: Weights

    /// Converts the parameters.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is not what it must be, ``VoiceError/Code/exhausted`` when
    ///   there is no room.
    init(_ file: GGUFFile, _ h: NanoCodecHyperparameters, on device: Device) throws(VoiceError) {
        let parameters = NanoCodecParameters(file: file)
        var values: [(name: String, shape: Shape, elements: [Float])] = []
        for convolution in h.convolutions {
            let shape: Shape = [convolution.inputs * convolution.taps, convolution.outputs]
            let matrix = Self.matrix(try parameters.values("\(convolution.name).w"), convolution)
            values.append(("\(convolution.name).w", shape, matrix))
            values.append(
                ("\(convolution.name).b", [convolution.outputs], try parameters.values("\(convolution.name).b"))
            )
        }
        for activation in h.activations {
            let (alpha, inverse, slope) = try parameters.snake(activation)
            for (part, row) in [("alpha", alpha), ("inverse", inverse), ("slope", slope)] {
                values.append(("\(activation.name).\(part)", [activation.channels], row))
            }
        }
        for upsampling in h.upsamplings {
            let grouped = try parameters.grouped(upsampling)
            let (outputs, rate) = (upsampling.outputs, upsampling.rate)
            for parity in 0..<2 {
                for (age, offset) in [("later", 0), ("earlier", rate)] {
                    // Outputs fastest, then phases.
                    let kernel = (0..<rate).flatMap { phase in
                        (0..<outputs).map { grouped[($0 * 2 + parity) * upsampling.taps + offset + phase] }
                    }
                    values.append((Self.part(upsampling, age, parity), [outputs, rate], kernel))
                }
            }
            values.append(("\(upsampling.name).b", [outputs], try parameters.values("\(upsampling.name).b")))
        }
        weights = try Weights(computed: values, from: file.path, on: device)
    }

    func convolve(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ convolution: NanoCodecHyperparameters.Convolution,
        adding residual: Tensor?
    ) throws(VoiceError) -> Tensor {
        let windows = try g.windows(x, taps: convolution.taps, dilation: convolution.dilation)
        let sum = try g.linear(
            windows,
            weights.tensor("\(convolution.name).w"),
            bias: weights.tensor("\(convolution.name).b")
        )
        guard let residual else { return sum }
        return try g.add(sum, residual)
    }

    func upsample(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ upsampling: NanoCodecHyperparameters.Upsampling
    ) throws(VoiceError) -> Tensor {
        let (outputs, rate) = (upsampling.outputs, upsampling.rate)
        let (columns, streams) = (x.shape[1] - 1, x.shape[2])
        var sum: Tensor?
        // Four inputs of each output: even and odd channel, earlier and later column.
        let split = try g.reshape(x, [2, outputs, columns + 1, streams])
        for parity in 0..<2 {
            let channel = try g.contiguous(g.slice(split, dimension: 0, parity..<(parity + 1)))
            for (age, first) in [("earlier", 0), ("later", 1)] {
                let shifted = try g.slice(channel, dimension: 2, first..<(first + columns))
                let input = try g.reshape(g.contiguous(shifted), [outputs, 1, columns, streams])
                let product = try g.multiply(
                    g.broadcast(input, to: [outputs, rate, columns, streams]),
                    weights.tensor(Self.part(upsampling, age, parity))
                )
                if let previous = sum { sum = try g.add(previous, product) } else { sum = product }
            }
        }
        guard let sum else { throw VoiceError(.fault, "There is nothing to upsample.") }
        return try g.reshape(
            g.add(sum, weights.tensor("\(upsampling.name).b")),
            [outputs, rate * columns, streams]
        )
    }

    func activate(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ activation: NanoCodecHyperparameters.Activation,
        after history: Tensor
    ) throws(VoiceError) -> Tensor {
        func parameter(_ part: String) throws(VoiceError) -> Tensor {
            try weights.tensor("\(activation.name).\(part)")
        }
        // max(x, 0) − slope · max(−x, 0) + alpha⁻¹ · sin²(alpha · x): alpha and its inverse are zeros where there is no snake.
        let below = try g.multiply(g.relu(g.negate(x)), parameter("slope"))
        let rectified = try g.subtract(g.relu(x), below)
        let sine = try g.sin(g.multiply(x, parameter("alpha")))
        let wave = try g.multiply(g.square(sine), parameter("inverse"))
        return try g.concat(history, g.add(rectified, wave), dimension: 1)
    }

    private static func part(_ upsampling: NanoCodecHyperparameters.Upsampling, _ age: String, _ parity: Int) -> String
    {
        "\(upsampling.name).\(age).\(parity)"
    }

    /// [taps, inputs, outputs] becomes [inputs, taps, outputs]: channels lie next to each other in a window.
    private static func matrix(
        _ kernel: [Float],
        _ convolution: NanoCodecHyperparameters.Convolution
    ) -> [Float] {
        let (taps, inputs) = (convolution.taps, convolution.inputs)
        var matrix = kernel
        for output in 0..<convolution.outputs {
            let row = output * taps * inputs
            for input in 0..<inputs {
                for tap in 0..<taps { matrix[row + tap * inputs + input] = kernel[row + input * taps + tap] }
            }
        }
        return matrix
    }
}
