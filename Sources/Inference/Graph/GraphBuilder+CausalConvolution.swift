internal import CLlama
package import VoiceCore

/// What causal convolutions over time need: windows, and the columns that a stream keeps from one step to the next.
///
/// Columns are time steps, channels lie next to each other: shape [channels, columns, streams].
extension GraphBuilder {
    /// The columns that each tap of a convolution meets, side by side: column t of the result is columns t, t + dilation, …
    /// of x.
    /// - Parameters:
    ///   - x: shape [channels, columns, streams], F32 without gaps.
    ///   - taps: columns of a window.
    ///   - dilation: columns from one tap to the next.
    /// - Returns: shape [channels · taps, columns − (taps − 1) · dilation, streams]; the earliest tap comes first.
    package func windows(_ x: Tensor, taps: Int, dilation: Int = 1) throws(VoiceError) -> Tensor {
        try requireContiguous("windows", x)
        guard let count = ConvolutionGeometry(dilation: dilation).windows(over: x.shape[1], kernel: taps), count > 0,
            taps > 0, x.shape[3] == 1
        else { throw mismatch("windows", "no window of \(taps) columns, \(dilation) apart, fits into \(x.shape)") }
        let (channels, streams) = (x.shape[0], x.shape[2])
        // One tap at first: ggml's check of a view's size knows no views whose elements overlap. Its operations go by the
        // strides, and all columns are within x.
        let view = try make("windows", [x]) {
            ggml_view_4d(
                context,
                x.pointer,
                Int64(channels),
                1,
                Int64(count),
                Int64(streams),
                x.stride(1) * dilation,
                x.stride(1),
                x.stride(2),
                0
            )
        }
        view.pointer.pointee.ne.1 = Int64(taps)
        return try reshape(contiguous(view), [channels * taps, count, streams])
    }

    /// The columns that streams keep.
    /// - Parameters:
    ///   - matrix: of a ``StateArena``: one row of channels · columns elements for each slot.
    ///   - channels: elements of a column.
    ///   - slots: a slot for each stream.
    /// - Returns: shape [channels, columns, streams].
    package func history(of matrix: Tensor, channels: Int, at slots: Tensor) throws(VoiceError) -> Tensor {
        guard channels > 0, matrix.shape[0] % channels == 0 else {
            throw mismatch("history", "a row of \(matrix.shape) is no whole number of columns of \(channels)")
        }
        return try reshape(rows(of: matrix, at: slots), [channels, matrix.shape[0] / channels, slots.shape[0]])
    }

    /// Keeps the last columns of x for the next step, as soon as x is there. Nothing but x may depend on what the matrix held
    /// before.
    /// - Parameters:
    ///   - x: shape [channels, columns, streams], F32 without gaps, at least as many columns as are kept.
    ///   - matrix: of a ``StateArena``: one row of channels · kept columns elements for each slot.
    ///   - slots: a slot for each stream, each at most once.
    package func keepHistory(_ x: Tensor, in matrix: Tensor, at slots: Tensor) throws(VoiceError) {
        try requireContiguous("keepHistory", x)
        let (channels, columns, streams) = (x.shape[0], x.shape[1], x.shape[2])
        let kept = matrix.shape[0] / channels
        guard matrix.shape[0] == kept * channels, (1...columns).contains(kept), x.shape[3] == 1 else {
            throw mismatch("keepHistory", "\(x.shape) does not have the columns of a row of \(matrix.shape)")
        }
        let last = try slice(x, dimension: 1, (columns - kept)..<columns)
        let row = try reshape(last.isContiguous ? last : contiguous(last), [kept * channels, streams])
        try store(row, into: matrix, at: slots, early: true)
    }
}
