internal import Inference
internal import VoiceCore

/// Stage 2: three causal convolutions of stride 2 over time and frequency, then a linear map: eight feature rows become one
/// encoder frame.
///
/// Each level pads two zeros before and one after, on both axes; what streams is one row per level, kept from the step
/// before. The first level is one matrix product over windows that the caller lays out (``SubsamplingWindows``), its bias
/// being a tenth tap. The others are a convolution per channel and a mixing of channels; the bias of the former is folded
/// into that of the latter.
///
/// Source: NeMo `parts/submodules/subsampling.py` (`ConvSubsampling`, `dw_striding`, `is_causal`, 2.6.0rc0).
struct Subsampling {
    let h: NemotronHyperparameters
    let weights: NemotronWeights
    let arena: StateArena

    /// Values of a window: nine taps, one for the bias, the rest zeros up to a size that the CPU's kernels like.
    static let windowLength = 16

    /// The inputs of a step.
    struct Ports {
        /// Shape [16, padded frequencies · 4 frames · streams].
        var windows: GraphInput
        /// Rows of level 2's outputs, cache and zeros that make up level 3's input.
        var layout: GraphInput
    }

    /// - Parameters:
    ///   - frames: encoder frames of the step.
    ///   - slots: indices of the streams' slots.
    ///   - streams: their number.
    /// - Returns: the ports, and the frames: shape [width, frames · streams].
    func build(
        _ g: GraphBuilder,
        frames: Int,
        slots: Tensor,
        streams: Int
    ) throws(VoiceError) -> (Ports, Tensor) {
        let channels = h.subsamplingChannels
        let first = SubsamplingLevel(h, 1)
        let windows = try g.input(
            "windows",
            shape: [Self.windowLength, first.paddedFrequencies * 4 * frames * streams]
        )
        let one = try g.relu(g.matmul(weights.tensor("subsampling.1"), windows.tensor))

        // Level 2: the row from before and the new ones.
        let rowLength = channels * first.paddedFrequencies
        let newRows = try g.reshape(one, [rowLength, 4 * frames, streams])
        let oldRow = try g.reshape(g.rows(of: arena.matrix("subsampling.1"), at: slots), [rowLength, 1, streams])
        try g.store(
            last(g, newRows),
            into: arena.matrix("subsampling.1"),
            at: slots
        )
        let second = SubsamplingLevel(h, 2)
        let input = try g.reshape(
            g.concat(oldRow, newRows, dimension: 1),
            [channels, first.paddedFrequencies, 4 * frames + 1, streams]
        )
        let two = try level(g, 2, input, rows: second.frequencies * 2 * frames * streams)

        // Level 3: rows that do not exist, and the padding of frequencies, are a row of zeros.
        let pastLength = channels * second.frequencies
        let past = try g.reshape(
            g.rows(of: arena.matrix("subsampling.2"), at: slots),
            [channels, second.frequencies * streams]
        )
        try g.store(
            last(g, g.reshape(two, [pastLength, 2 * frames, streams])),
            into: arena.matrix("subsampling.2"),
            at: slots
        )
        let table = try g.concat(
            g.concat(two, past, dimension: 1),
            weights.tensor("subsampling.zeros"),
            dimension: 1
        )
        let layout = try g.indices(
            "layout",
            count: second.paddedFrequencies * (2 * frames + 1) * streams,
            below: table.shape[1]
        )
        let laidOut = try g.reshape(
            g.rows(of: table, at: layout.tensor),
            [channels, second.paddedFrequencies, 2 * frames + 1, streams]
        )
        let third = SubsamplingLevel(h, 3)
        let three = try level(g, 3, laidOut, rows: third.frequencies * frames * streams)

        // The linear map takes all frequencies of a channel, then those of the next.
        let turned = try g.contiguous(
            g.transpose(g.reshape(three, [channels, third.frequencies, frames * streams]))
        )
        let flat = try g.reshape(turned, [channels * third.frequencies, frames * streams])
        var result = try weights.linear(g, flat, "encoder.pre_encode.out")
        if h.scalesInput { result = try g.scale(result, by: Float(h.width).squareRoot()) }
        return (Ports(windows: windows, layout: layout), result)
    }

    /// A convolution per channel, channels mixed, ReLU: [channels, rows].
    private func level(_ g: GraphBuilder, _ number: Int, _ x: Tensor, rows: Int) throws(VoiceError) -> Tensor {
        let name = "subsampling.\(number)"
        let convolved = try g.depthwise2d(x, kernel: weights.tensor("\(name).depthwise"), stride: 2)
        let flat = try g.reshape(convolved, [h.subsamplingChannels, rows])
        return try g.relu(g.linear(flat, weights.tensor(name), bias: weights.tensor("\(name).bias")))
    }

    /// The last row of each stream: [n, rows, streams] becomes [n, streams].
    private func last(_ g: GraphBuilder, _ x: Tensor) throws(VoiceError) -> Tensor {
        let row = try g.contiguous(g.slice(x, dimension: 1, (x.shape[1] - 1)..<x.shape[1]))
        return try g.reshape(row, [x.shape[0], x.shape[2]])
    }

    /// What streams keep between steps: one row of the first two levels' outputs. (The row of features stays on the host.)
    static func state(_ h: NemotronHyperparameters) -> [StateArena.Matrix] {
        [
            StateArena.Matrix(
                "subsampling.1",
                rowLength: h.subsamplingChannels * SubsamplingLevel(h, 1).paddedFrequencies
            ),
            StateArena.Matrix("subsampling.2", rowLength: h.subsamplingChannels * SubsamplingLevel(h, 2).frequencies),
        ]
    }
}

/// The frequencies of one level's output.
struct SubsamplingLevel {
    /// Frequencies that the level gives.
    let frequencies: Int
    /// The same with the zeros that the next level wants around them: two before, none or one after.
    let paddedFrequencies: Int

    init(_ h: NemotronHyperparameters, _ level: Int) {
        frequencies = h.frequencies[level]
        paddedFrequencies = 2 * (frequencies / 2 + 1) + 1
    }
}
