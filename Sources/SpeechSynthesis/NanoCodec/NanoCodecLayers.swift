internal import Inference
internal import VoiceCore

/// The operations that the decoder is made of, with their parameters. Columns are time steps: shape
/// [channels, columns, streams].
protocol NanoCodecLayers {
    /// A convolution.
    /// - Parameters:
    ///   - x: the columns that it reaches back to, then the new ones.
    ///   - residual: added to the result; nil for nothing.
    /// - Returns: as many columns as are new.
    func convolve(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ convolution: NanoCodecHyperparameters.Convolution,
        adding residual: Tensor?
    ) throws(VoiceError) -> Tensor

    /// A transposed convolution.
    /// - Parameter x: one column from before, then the new ones.
    /// - Returns: rate columns for each new one.
    func upsample(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ upsampling: NanoCodecHyperparameters.Upsampling
    ) throws(VoiceError) -> Tensor

    /// A half-snake: x + alpha⁻¹ sin²(alpha x) in the first half of the channels, max(x, 0.01 x) in the others.
    /// - Parameter history: columns from before, which have been through it.
    /// - Returns: the history and the result.
    func activate(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ activation: NanoCodecHyperparameters.Activation,
        after history: Tensor
    ) throws(VoiceError) -> Tensor
}

/// A model file's parameters, as the layers take them.
struct NanoCodecParameters {
    let file: GGUFFile

    /// What a leaky ReLU multiplies negative values with (PyTorch's default, which NeMo's `HalfSnake` has).
    private static let leak: Float = 0.01

    /// A tensor's values in the order of the file, first dimension fastest.
    func values(_ name: String) throws(VoiceError) -> [Float] { try file.floats(of: file.tensor(named: name)) }

    /// alpha, its inverse and the slope below zero for each channel: a snake with slope 1 is what the first half needs, a
    /// leaky ReLU without a snake the second.
    func snake(
        _ activation: NanoCodecHyperparameters.Activation
    ) throws(VoiceError) -> (alpha: [Float], inverse: [Float], slope: [Float]) {
        let rest = activation.channels - activation.snakes
        let zeros = [Float](repeating: 0, count: rest)
        let slope =
            [Float](repeating: 1, count: activation.snakes) + [Float](repeating: Self.leak, count: rest)
        return (
            try values("\(activation.name).alpha") + zeros, try values("\(activation.name).alpha_inv") + zeros, slope
        )
    }

    /// The weights of a transposed convolution that are not zero: for output c, input 2c + parity and tap k at index
    /// (c · 2 + parity) · taps + k. Taps below the rate meet the newer of two columns.
    /// - Throws: ``VoiceError/Code/malformedInput`` when an output depends on other inputs too.
    func grouped(_ upsampling: NanoCodecHyperparameters.Upsampling) throws(VoiceError) -> [Float] {
        let (taps, outputs) = (upsampling.taps, upsampling.outputs)
        let name = "\(upsampling.name).w"
        let dense = try values(name)
        var weights: [Float] = []
        weights.reserveCapacity(upsampling.inputs * taps)
        for input in 0..<upsampling.inputs {
            let row = input * outputs * taps
            let own = (row + input / 2 * taps)..<(row + (input / 2 + 1) * taps)
            weights += dense[own]
            let isGrouped =
                dense[row..<own.lowerBound].allSatisfy { $0 == 0 }
                && dense[own.upperBound..<(row + outputs * taps)].allSatisfy { $0 == 0 }
            guard isGrouped else {
                throw file.unsuitable("tensor '\(name)' mixes channels of different groups at input \(input)")
            }
        }
        return weights
    }
}
