internal import Inference
internal import VoiceCore

/// Stage 2: four convolutions with ReLU that turn the spectrum of a window into one vector.
struct SileroEncoder: Sendable {
    private let layers: [Layer]

    /// Reads the kernels.
    /// - Throws: ``VoiceError/Code/malformedInput`` when they are others, or do not lead to one vector.
    init(_ file: GGUFFile, _ h: SileroHyperparameters) throws(VoiceError) {
        var layers: [Layer] = []
        var (frames, width) = (h.frames, h.bins)
        for (index, channels) in h.channels.enumerated() {
            let name = "encoder.\(index).reparam_conv"
            let layer = try Layer(
                weights: file.floats("\(name).weight", shape: [h.kernelSize, width, channels]),
                bias: file.floats("\(name).bias", shape: [channels]),
                inputs: width,
                frames: frames,
                stride: h.strides[index]
            )
            layers.append(layer)
            (frames, width) = (layer.frames, channels)
        }
        guard frames == 1 else {
            throw file.unsuitable("a window gives \(frames) steps, and the LSTM takes one")
        }
        self.layers = layers
    }

    /// - Parameter spectrum: `frames` columns of `bins` for each window.
    /// - Returns: `hiddenSize` numbers for each window.
    func features(of spectrum: [Float], windows: Int) -> [Float] {
        layers.reduce(spectrum) { x, layer in layer.apply(to: x, windows: windows) }
    }

    /// One convolution, with as many zeros before and after the window as let its middle meet the window's first and last column.
    private struct Layer: Sendable {
        let kernel: SmallConvolution
        /// Columns of a window before it and after it.
        let framesBefore: Int
        let frames: Int
        let stride: Int
        /// The column that the first tap of the first output meets; negative for zeros before the window.
        let first: Int

        init(weights: [Float], bias: [Float], inputs: Int, frames: Int, stride: Int) throws(VoiceError) {
            let taps = weights.count / (inputs * bias.count)
            let padding = taps / 2
            let outputs = (frames + 2 * padding - taps) / stride + 1
            // Taps that only ever meet zeros are left out.
            let met = (0..<taps).filter { tap in
                (0..<outputs).contains { (0..<frames).contains($0 * stride + tap - padding) }
            }
            let used = (met.first ?? 0)...(met.last ?? 0)
            let kept = weights.indices.filter { used.contains($0 % taps) }.map { weights[$0] }
            kernel = try SmallConvolution(weights: kept, bias: bias, inputs: inputs, taps: used.count)
            (framesBefore, self.frames, self.stride) = (frames, outputs, stride)
            first = used.lowerBound - padding
        }

        func apply(to x: [Float], windows: Int) -> [Float] {
            // Outputs next to each other share columns, others have their own.
            let shared = stride == 1
            let length = (shared ? frames - 1 : 0) + kernel.taps
            var columns: [Float] = []
            columns.reserveCapacity(windows * (shared ? 1 : frames) * length * kernel.inputs)
            for window in 0..<windows {
                for output in 0..<(shared ? 1 : frames) {
                    for column in 0..<length {
                        append(output * stride + first + column, of: window, in: x, to: &columns)
                    }
                }
            }
            var y = kernel(columns, columns: shared ? frames : 1, streams: shared ? windows : windows * frames)
            // What is not a number stays that.
            for index in y.indices where y[index] < 0 { y[index] = 0 }
            return y
        }

        private func append(_ frame: Int, of window: Int, in x: [Float], to columns: inout [Float]) {
            guard (0..<framesBefore).contains(frame) else {
                columns.append(contentsOf: repeatElement(0, count: kernel.inputs))
                return
            }
            let begin = (window * framesBefore + frame) * kernel.inputs
            columns.append(contentsOf: x[begin..<(begin + kernel.inputs)])
        }
    }
}
