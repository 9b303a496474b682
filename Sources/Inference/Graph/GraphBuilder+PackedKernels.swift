internal import CKernels
internal import CLlama
package import VoiceCore

/// Causal convolutions by our own loops, for the CPU only. Shapes are [channels, columns, streams], F32 without gaps.
extension GraphBuilder {
    /// A convolution over columns that are preceded by those that it reaches back to.
    /// - Parameters:
    ///   - x: shape [inputs, (taps − 1) · dilation + columns, streams].
    ///   - kernel: packed.
    ///   - bias: the outputs in whole groups of ``PackedKernel/group``, filled up with zeros.
    ///   - dilation: columns from one tap to the next.
    ///   - residual: added to the result, whose shape it has.
    /// - Returns: shape [outputs, columns, streams].
    package func causalConvolution(
        _ x: Tensor,
        kernel: PackedKernel,
        bias: Tensor,
        dilation: Int,
        residual: Tensor? = nil
    ) throws(VoiceError) -> Tensor {
        let name = "causalConvolution"
        let geometry = ConvolutionGeometry(dilation: dilation)
        guard x.shape[0] == kernel.inputs, x.shape[3] == 1,
            let columns = geometry.windows(over: x.shape[1], kernel: kernel.taps), columns > 0
        else { throw mismatch(name, "\(x.shape) does not fit a kernel of \(kernel.inputs) × \(kernel.taps)") }
        let shape: Shape = [kernel.outputs, columns, x.shape[2]]
        guard bias.shape == [PackedKernel.groups(of: kernel.outputs) * PackedKernel.group] else {
            throw mismatch(name, "a bias \(bias.shape) does not fill the groups of \(kernel.outputs) outputs")
        }
        if let residual, residual.shape != shape {
            throw mismatch(name, "a residual \(residual.shape) cannot be added to \(shape)")
        }
        let floats = [x, bias] + (residual.map { [$0] } ?? [])
        for tensor in floats { try requireContiguous(name, tensor) }
        return try ownLoop(name, shape, [kernel.tensor] + floats) { result, thread, threads, _ in
            convolve(result, thread, threads)
        }
    }

    /// Half-snake activation behind the columns of an earlier step, which went through it then.
    /// - Parameters:
    ///   - x: shape [channels, columns, streams].
    ///   - parameters: shape [period, 3]: alpha, its inverse and the slope below zero for each channel, again and again until
    ///     they fill whole groups of 16.
    ///   - history: shape [channels, earlier columns, streams].
    /// - Returns: shape [channels, earlier columns + columns, streams].
    package func halfSnake(_ x: Tensor, parameters: Tensor, after history: Tensor) throws(VoiceError) -> Tensor {
        let (channels, period) = (x.shape[0], parameters.shape[0])
        guard period % channels == 0, period % PackedKernel.group == 0, parameters.shape == [period, 3] else {
            throw mismatch("halfSnake", "parameters \(parameters.shape) do not fit \(channels) channels")
        }
        guard history.shape[0] == channels, history.shape[2] == x.shape[2], history.shape[3] == 1, x.shape[3] == 1
        else {
            throw mismatch("halfSnake", "a history \(history.shape) does not come before \(x.shape)")
        }
        for tensor in [x, parameters, history] { try requireContiguous("halfSnake", tensor) }
        let shape: Shape = [channels, history.shape[1] + x.shape[1], x.shape[2]]
        return try ownLoop("halfSnake", shape, [x, parameters, history]) { result, thread, threads, _ in
            activate(result, thread, threads)
        }
    }

    /// A transposed convolution whose kernel covers two columns and whose output c sees the inputs 2c and 2c + 1 only.
    /// - Parameters:
    ///   - x: shape [2 · outputs, 1 + columns, streams]: one column from before, then the new ones.
    ///   - kernel: shape [16, 4, rate, groups]: for each group of outputs and each new column the weights of the earlier
    ///     column's even and odd input and the later one's.
    ///   - bias: the outputs in whole groups of ``PackedKernel/group``, filled up with zeros.
    ///   - outputs: output channels.
    /// - Returns: shape [outputs, rate · columns, streams].
    package func causalUpsampling(
        _ x: Tensor,
        kernel: Tensor,
        bias: Tensor,
        outputs: Int
    ) throws(VoiceError) -> Tensor {
        let groups = PackedKernel.groups(of: outputs)
        let rate = kernel.shape[2]
        guard outputs > 0, kernel.shape == [PackedKernel.group, 4, rate, groups],
            bias.shape == [groups * PackedKernel.group], x.shape[0] == 2 * outputs, x.shape[1] > 1, x.shape[3] == 1
        else {
            throw mismatch("causalUpsampling", "\(x.shape), \(kernel.shape) and \(bias.shape) do not fit together")
        }
        for tensor in [x, kernel, bias] { try requireContiguous("causalUpsampling", tensor) }
        let shape: Shape = [outputs, rate * (x.shape[1] - 1), x.shape[2]]
        return try ownLoop("causalUpsampling", shape, [kernel, bias, x]) { result, thread, threads, _ in
            upsample(result, thread, threads)
        }
    }

    /// An operation by the loops that ``PackedKernels`` need.
    func ownLoop(
        _ operation: String,
        _ shape: Shape,
        _ operands: [Tensor],
        _ loop: @escaping ggml_custom_op_t
    ) throws(VoiceError) -> Tensor {
        guard PackedKernels.areSupported(on: storage.stream.device) else {
            throw mismatch(operation, "\(storage.stream.device) has no loops for packed kernels")
        }
        return try custom(operation, .f32, shape, operands, loop)
    }
}

// ggml calls these from every thread, with tensors that the operations above have made and checked.

private func convolve(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let kernel = result.src.0?.pointee, let x = result.src.1?.pointee,
        let bias = result.src.2?.pointee.data, let from = x.data, let to = result.data
    else { return }
    let taps = kernel.ne.2
    var description = cc_kernel(
        inputs: kernel.ne.1,
        outputs: result.ne.0,
        taps: taps,
        // What comes before the new columns is what the taps reach back to.
        dilation: taps > 1 ? (x.ne.1 - result.ne.1) / (taps - 1) : 1,
        half: kernel.type == GGML_TYPE_F16 ? 1 : 0,
        weights: kernel.data,
        bias: bias.assumingMemoryBound(to: Float.self)
    )
    cc_convolve(
        cc_best_kind(),
        &description,
        result.ne.1,
        result.ne.2,
        Int64(thread),
        Int64(threads),
        from.assumingMemoryBound(to: Float.self),
        result.src.3?.pointee.data?.assumingMemoryBound(to: Float.self),
        to.assumingMemoryBound(to: Float.self)
    )
}

private func activate(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let x = result.src.0?.pointee, let parameters = result.src.1?.pointee,
        let history = result.src.2?.pointee, let from = x.data?.assumingMemoryBound(to: Float.self),
        let table = parameters.data?.assumingMemoryBound(to: Float.self),
        let before = history.data?.assumingMemoryBound(to: Float.self),
        let to = result.data?.assumingMemoryBound(to: Float.self)
    else { return }
    let (channels, period) = (Int(x.ne.0), Int(parameters.ne.0))
    let (columns, earlier) = (Int(x.ne.1), Int(history.ne.1))
    // Each thread begins where the parameters begin anew.
    let stretch = period / channels
    let stretches = (columns + stretch - 1) / stretch
    let first = stretches * Int(thread) / Int(threads) * stretch
    let last = min(columns, stretches * Int(thread + 1) / Int(threads) * stretch)
    for stream in 0..<Int(x.ne.2) {
        let target = to + stream * (earlier + columns) * channels
        if stream % Int(threads) == Int(thread) {
            target.update(from: before + stream * earlier * channels, count: earlier * channels)
        }
        guard first < last else { continue }
        cc_half_snake(
            cc_best_kind(),
            Int64((last - first) * channels),
            Int64(period),
            table,
            table + period,
            table + 2 * period,
            from + (stream * columns + first) * channels,
            target + (earlier + first) * channels
        )
    }
}

private func upsample(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let kernel = result.src.0?.pointee, let x = result.src.2?.pointee,
        let weights = kernel.data?.assumingMemoryBound(to: Float.self),
        let bias = result.src.1?.pointee.data?.assumingMemoryBound(to: Float.self),
        let from = x.data?.assumingMemoryBound(to: Float.self),
        let to = result.data?.assumingMemoryBound(to: Float.self)
    else { return }
    let (outputs, rate, columns) = (Int(result.ne.0), Int(kernel.ne.2), Int(x.ne.1) - 1)
    for stream in 0..<Int(x.ne.2) {
        cc_upsample(
            cc_best_kind(),
            Int64(outputs),
            Int64(rate),
            Int64(columns * Int(thread) / Int(threads)),
            Int64(columns * Int(thread + 1) / Int(threads)),
            weights,
            bias,
            from + stream * (1 + columns) * 2 * outputs,
            to + stream * rate * columns * outputs
        )
    }
}
