internal import Inference
internal import VoiceCore

/// Which tensors a file must have, with which shapes: those that `Tools/convert/piper_to_gguf.py` writes.
///
/// Shapes are in ggml's order, first dimension fastest.
struct PiperLayout {
    /// A convolution: a weight [taps, inputs, outputs], and one bias for each output or, after an upsampling, for each of the
    /// outputs of one phase.
    struct Convolution: Equatable {
        var name: String
        var inputs: Int
        var outputs: Int
        var taps: Int
        var biases: Int
    }

    /// The convolutions.
    private(set) var convolutions: [Convolution] = []
    /// The other tensors, F32.
    private(set) var tensors: [(name: String, shape: Shape)] = []

    init(_ h: PiperHyperparameters) {
        text(h)
        duration(h)
        flow(h)
        decoder(h)
    }

    /// Checks a file.
    /// - Throws: ``VoiceError/Code/malformedInput`` naming the first tensor that is missing or not as it must be.
    func check(_ file: GGUFFile) throws(VoiceError) {
        for convolution in convolutions {
            let shape: Shape = [convolution.taps, convolution.inputs, convolution.outputs]
            _ = try file.tensor(named: "\(convolution.name).weight", shape: shape, types: [.f32, .f16])
            guard convolution.biases > 0 else { continue }
            _ = try file.tensor(named: "\(convolution.name).bias", shape: [convolution.biases], types: [.f32])
        }
        for tensor in tensors { _ = try file.tensor(named: tensor.name, shape: tensor.shape, types: [.f32]) }
    }

    private mutating func convolution(_ name: String, _ inputs: Int, _ outputs: Int, taps: Int = 1, biases: Int? = nil)
    {
        convolutions.append(
            Convolution(name: name, inputs: inputs, outputs: outputs, taps: taps, biases: biases ?? outputs)
        )
    }

    private mutating func norm(_ name: String, _ width: Int) {
        tensors += [("\(name).weight", [width]), ("\(name).bias", [width])]
    }

    private mutating func text(_ h: PiperHyperparameters) {
        tensors.append(("text.embedding", [h.width, h.vocabulary]))
        for layer in 0..<h.textLayers {
            let name = "text.\(layer)"
            for part in ["q", "k", "v", "o"] { convolution("\(name).\(part)", h.width, h.width) }
            tensors.append(("\(name).near_keys", [h.headWidth, 2 * h.window + 1]))
            tensors.append(("\(name).near_values", [2 * h.window + 1, h.headWidth]))
            convolution("\(name).ff1", h.width, h.feedForward, taps: h.textTaps)
            convolution("\(name).ff2", h.feedForward, h.width, taps: h.textTaps)
            norm("\(name).norm1", h.width)
            norm("\(name).norm2", h.width)
        }
        for part in ["mean", "deviation"] { convolution("text.\(part)", h.width, h.width) }
    }

    private mutating func separable(_ name: String, _ h: PiperHyperparameters) {
        for layer in 0..<h.durationLayers {
            tensors.append(("\(name).\(layer).depthwise.weight", [h.width, h.durationTaps]))
            tensors.append(("\(name).\(layer).depthwise.bias", [h.width]))
            norm("\(name).\(layer).norm1", h.width)
            convolution("\(name).\(layer).pointwise", h.width, h.width)
            norm("\(name).\(layer).norm2", h.width)
        }
    }

    private mutating func duration(_ h: PiperHyperparameters) {
        convolution("duration.pre", h.width, h.width)
        separable("duration", h)
        convolution("duration.proj", h.width, h.width)
        for flow in 0..<h.durationFlows {
            convolution("duration.flow.\(flow).pre", 1, h.width)
            separable("duration.flow.\(flow)", h)
            convolution("duration.flow.\(flow).proj", h.width, h.splineParameters)
        }
        tensors += [("duration.shift", [2]), ("duration.scale", [2])]
    }

    private mutating func flow(_ h: PiperHyperparameters) {
        for coupling in 0..<h.couplings {
            let name = "flow.\(coupling)"
            convolution("\(name).pre", h.half, h.width)
            for layer in 0..<h.flowLayers {
                convolution("\(name).\(layer).in", h.width, 2 * h.width, taps: h.flowTaps)
                convolution("\(name).\(layer).skip", h.width, h.width)
                if layer + 1 < h.flowLayers { convolution("\(name).\(layer).residual", h.width, h.width) }
            }
            convolution("\(name).post", h.width, h.half)
        }
    }

    private mutating func decoder(_ h: PiperHyperparameters) {
        convolution("decoder.pre", h.width, h.decoderChannels, taps: h.decoderTaps)
        for (stage, rate) in h.rates.enumerated() {
            let channels = h.channels(after: stage)
            convolution("decoder.\(stage).up", 2 * channels, rate * channels, taps: 2, biases: channels)
            for (block, taps) in h.blockTaps.enumerated() {
                for index in h.blockDilations[block].indices {
                    convolution("decoder.\(stage).block.\(block).\(index)", channels, channels, taps: taps)
                }
            }
        }
        convolution("decoder.post", h.channels(after: h.rates.count - 1), 1, taps: h.decoderTaps, biases: 0)
    }
}
