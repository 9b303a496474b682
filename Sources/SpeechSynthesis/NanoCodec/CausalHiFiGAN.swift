internal import Inference
internal import VoiceCore

/// The decoder's graph: latents of some frames in, samples out, for several streams at once.
///
/// Everything is causal: each convolution keeps the columns that it reaches back to, and chunks of any size give the samples
/// that the whole would. Source: NeMo 3.0.0 `tts/modules/audio_codec_modules.py` (`CausalHiFiGANDecoder`).
struct CausalHiFiGAN {
    let h: NanoCodecHyperparameters
    let layers: any NanoCodecLayers
    let arena: StateArena

    /// What a graph computes.
    struct Result {
        /// Shape [1, samples, streams], in [-1, 1].
        var samples: Tensor
        /// The output of each stage, as NeMo names them: `pre`, `up0`, `res0`, …; shape [channels, columns, streams].
        var stages: [(name: String, tensor: Tensor)]
    }

    /// What a stream keeps: for each convolution the columns that it reaches back to.
    static func state(_ h: NanoCodecHyperparameters) -> [StateArena.Matrix] {
        h.convolutions.map { StateArena.Matrix($0.name, rowLength: $0.inputs * $0.history) }
            + h.upsamplings.map { StateArena.Matrix($0.name, rowLength: $0.inputs) }
    }

    /// Describes the computation.
    /// - Parameters:
    ///   - latents: shape [latents, frames, streams].
    ///   - slots: a slot for each stream.
    func build(_ g: GraphBuilder, _ latents: Tensor, slots: Tensor) throws(VoiceError) -> Result {
        let history = try g.history(of: arena.matrix(h.first.name), channels: h.first.inputs, at: slots)
        let input = try g.concat(history, latents, dimension: 1)
        try g.keepHistory(input, in: arena.matrix(h.first.name), at: slots)
        var x = try layers.convolve(g, input, h.first, adding: nil)
        var stages = [(name: "pre", tensor: x)]
        for stage in h.rates.indices {
            let upsampling = h.upsampling(of: stage)
            let padded = try activate(g, x, h.activation(of: stage), before: upsampling.name, at: slots)
            x = try layers.upsample(g, padded, upsampling)
            stages.append(("up\(stage)", x))
            x = try residuals(g, x, stage: stage, slots: slots)
            stages.append(("res\(stage)", x))
        }
        let padded = try activate(g, x, h.lastActivation, before: h.last.name, at: slots)
        let samples = try g.clamp(layers.convolve(g, padded, h.last, adding: nil), to: -1...1)
        return Result(samples: samples, stages: stages)
    }

    /// The mean of a stage's stacks.
    private func residuals(
        _ g: GraphBuilder,
        _ x: Tensor,
        stage: Int,
        slots: Tensor
    ) throws(VoiceError) -> Tensor {
        var sum: Tensor?
        for stack in h.kernelSizes.indices {
            var y = x
            for block in h.blocks(of: stage, stack: stack) {
                var inner = y
                for (index, convolution) in block.convolutions.enumerated() {
                    let activation = block.activations[index]
                    let padded = try activate(g, inner, activation, before: convolution.name, at: slots)
                    let isLast = index == block.convolutions.count - 1
                    inner = try layers.convolve(g, padded, convolution, adding: isLast ? y : nil)
                }
                y = inner
            }
            if let previous = sum { sum = try g.add(previous, y) } else { sum = y }
        }
        guard let sum else { return x }
        return try g.scale(sum, by: 1 / Float(h.kernelSizes.count))
    }

    /// The input of a convolution: what it has kept, then x through an activation; the end of that is kept for the next step.
    private func activate(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ activation: NanoCodecHyperparameters.Activation,
        before name: String,
        at slots: Tensor
    ) throws(VoiceError) -> Tensor {
        let matrix = try arena.matrix(name)
        let history = try g.history(of: matrix, channels: activation.channels, at: slots)
        let padded = try layers.activate(g, x, activation, after: history)
        try g.keepHistory(padded, in: matrix, at: slots)
        return padded
    }
}
