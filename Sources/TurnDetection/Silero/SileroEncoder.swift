internal import Inference
internal import VoiceCore

/// Stage 2: four convolutions with ReLU that turn the spectrum of a window into one vector.
struct SileroEncoder {
    let hyperparameters: SileroHyperparameters
    let weights: Weights

    /// - Parameter spectrum: shape [frames, bins].
    /// - Returns: shape [hiddenSize].
    func build(_ g: GraphBuilder, _ spectrum: Tensor) throws(VoiceError) -> Tensor {
        let h = hyperparameters
        var x = spectrum
        for (index, channels) in h.channels.enumerated() {
            let name = "encoder.\(index).reparam_conv"
            x = try g.relu(
                g.conv1d(
                    x,
                    kernel: weights.tensor("\(name).weight", shape: [h.kernelSize, x.shape[1], channels]),
                    bias: weights.tensor("\(name).bias", shape: [channels]),
                    geometry: ConvolutionGeometry(stride: h.strides[index], padding: h.kernelSize / 2)
                )
            )
        }
        guard x.shape.count == h.hiddenSize else {
            throw VoiceError(
                .malformedInput,
                "\(weights.path): a window gives \(x.shape[0]) steps, and the LSTM takes one. Choose another file."
            )
        }
        return try g.reshape(x, [h.hiddenSize])
    }
}
