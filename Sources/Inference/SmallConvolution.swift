internal import CKernels
package import VoiceCore

/// A convolution over a few columns of channels, in 32-bit floats, on the caller's thread: for networks so small that handing
/// each operation to a graph takes longer than computing it.
///
/// Numbers of a column, its channels, lie next to each other. Runs on every processor; any threads may use it at a time.
///
/// `@unchecked Sendable`: nothing is written after `init`.
package final class SmallConvolution: @unchecked Sendable {
    /// Channels of a column of input.
    package let inputs: Int
    /// Columns that an output sees.
    package let taps: Int
    /// Channels of a column of output.
    package let outputs: Int

    /// Packed, on a border of 64 bytes: what is read at once crosses no cache line.
    private let weights: UnsafeMutableRawPointer
    private let bias: [Float]

    /// Packs a kernel.
    /// - Parameters:
    ///   - weights: in the order [outputs][inputs][taps], the last fastest.
    ///   - bias: one number for each output.
    /// - Throws: ``VoiceError/Code/fault`` when the numbers of weights and biases do not fit each other.
    package init(weights: [Float], bias: [Float], inputs: Int, taps: Int) throws(VoiceError) {
        guard inputs > 0, taps > 0, !bias.isEmpty, weights.count == inputs * taps * bias.count else {
            throw VoiceError(
                .fault,
                "\(weights.count) weights do not lead from \(taps) columns of \(inputs) numbers to \(bias.count)."
            )
        }
        (self.inputs, self.taps, outputs) = (inputs, taps, bias.count)
        let group = Int(cc_group)
        let rows = (bias.count + group - 1) / group * group
        self.weights = .allocate(byteCount: rows * inputs * taps * 4, alignment: 64)
        self.bias = bias + [Float](repeating: 0, count: rows - bias.count)
        cc_pack(Int64(inputs), Int64(outputs), Int64(taps), 4, weights, self.weights)
    }

    deinit { weights.deallocate() }

    /// Computes output columns.
    /// - Parameters:
    ///   - x: of each stream `columns + taps - 1` columns.
    ///   - columns: columns of each stream to compute; the first one sees the first `taps` of `x`.
    ///   - streams: how many lie one after the other.
    /// - Returns: `streams * columns` columns.
    package func callAsFunction(_ x: [Float], columns: Int, streams: Int = 1) -> [Float] {
        precondition(x.count == streams * (columns + taps - 1) * inputs, "\(x.count) numbers are not what it convolves")
        var kernel = cc_kernel(
            inputs: Int64(inputs),
            outputs: Int64(outputs),
            taps: Int64(taps),
            dilation: 1,
            half: 0,
            weights: weights,
            bias: nil
        )
        return [Float](unsafeUninitializedCapacity: streams * columns * outputs) { y, count in
            bias.withUnsafeBufferPointer { bias in
                kernel.bias = bias.baseAddress
                // All of y is written: `x` has what the shape asks for, as checked above.
                cc_convolve(cc_kind_of_singles(), &kernel, Int64(columns), Int64(streams), 0, 1, x, nil, y.baseAddress)
            }
            count = streams * columns * outputs
        }
    }
}
