internal import CKernels
internal import CLlama
package import VoiceCore

extension GraphBuilder {
    /// Matrix product with packed weights: like ``matmul(_:_:)`` with the matrix they were packed from.
    ///
    /// x is rounded to 8 bits once, however many products use it.
    /// - Parameters:
    ///   - weights: a matrix of n rows of k elements.
    ///   - x: shape [k, m], F32 without gaps, finite.
    /// - Returns: shape [n, m].
    package func matmul(_ weights: PackedMatrix, _ x: Tensor) throws(VoiceError) -> Tensor {
        try requireContiguous("matmul", x)
        guard x.shape[0] == weights.inputs, x.shape[2] == 1, x.shape[3] == 1 else {
            throw mismatch("matmul", "\(x.shape) cannot be multiplied by \(weights.outputs) rows of \(weights.inputs)")
        }
        let columns = try packedColumns(x)
        let product = try custom(
            "matmul",
            .f32,
            [weights.paddedOutputs, x.shape[1]],
            [weights.tensor, columns]
        ) { result, thread, threads, _ in
            multiplyPacked(result, thread, threads)
        }
        guard weights.paddedOutputs > weights.outputs else { return product }
        return try contiguous(slice(product, dimension: 0, 0..<weights.outputs))
    }

    /// Causal convolution over columns with packed weights, one matrix per tap: column j of the result is the sum of the
    /// taps' products with columns j − n + 1 to j; columns before the first are zeros.
    /// - Parameters:
    ///   - taps: 1 to 8 matrices of the same size, the one for the column furthest back first; their rows are whole groups.
    ///   - x: shape [k, m], F32 without gaps, finite.
    /// - Returns: shape [n, m].
    package func causalConvolution(_ taps: [PackedMatrix], _ x: Tensor) throws(VoiceError) -> Tensor {
        try requireContiguous("causalConvolution", x)
        guard let first = taps.first, taps.count <= 8, x.shape == [first.inputs, x.shape[1]] else {
            throw mismatch("causalConvolution", "\(taps.count) taps do not fit \(x.shape)")
        }
        for tap in taps where tap.inputs != first.inputs || tap.outputs != first.outputs {
            throw mismatch("causalConvolution", "the taps differ in size")
        }
        guard first.hasWholeGroups else {
            throw mismatch("causalConvolution", "\(first.outputs) rows are no whole groups")
        }
        let columns = try packedColumns(x)
        return try custom(
            "causalConvolution",
            .f32,
            [first.outputs, x.shape[1]],
            [columns] + taps.map(\.tensor)
        ) { result, thread, threads, _ in
            convolvePacked(result, thread, threads)
        }
    }

    private func packedColumns(_ x: Tensor) throws(VoiceError) -> Tensor {
        if let columns = packed[x.pointer] { return columns }
        let shape: Shape = [Int(ck_column_bytes(Int64(x.shape[0]))), x.shape[1]]
        let columns = try custom("pack", .i8, shape, [x]) { result, thread, threads, _ in
            packColumns(result, thread, threads)
        }
        packed[x.pointer] = columns
        return columns
    }
}

/// Packs this thread's columns of x. ggml calls it with tensors that `packedColumns` has made and checked.
private func packColumns(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let x = result.src.0?.pointee, let from = x.data, let to = result.data else {
        return
    }
    let (k, columns) = (Int(x.ne.0), Int(x.ne.1))
    let kind = ck_best_kind()
    for column in stride(from: Int(thread), to: columns, by: Int(threads)) {
        let values = (from + column * k * MemoryLayout<Float>.stride).assumingMemoryBound(to: Float.self)
        ck_pack_column(kind, Int64(k), values, to + column * Int(result.ne.0))
    }
}

/// Multiplies this thread's share of the rows. ggml calls it with tensors that `matmul` has made and checked.
private func multiplyPacked(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let weights = result.src.0?.pointee, let x = result.src.1?.pointee,
        let to = result.data
    else { return }
    let groups = Int(weights.ne.1)
    let k = weights.ne.0 / Int64(PackedMatrix.tileBytes) * Int64(PackedMatrix.block)
    ck_multiply(
        ck_best_kind(),
        k,
        result.ne.0,
        result.ne.1,
        Int64(groups * Int(thread) / Int(threads)),
        Int64(groups * Int(thread + 1) / Int(threads)),
        weights.data,
        x.data,
        0,
        to.assumingMemoryBound(to: Float.self)
    )
}

/// Computes this thread's share of the rows. ggml calls it with tensors that `causalConvolution` has made and checked.
private func convolvePacked(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let x = result.src.0?.pointee, let columns = x.data,
        let to = result.data?.assumingMemoryBound(to: Float.self)
    else { return }
    let sources = result.src
    let taps = [
        sources.1, sources.2, sources.3, sources.4, sources.5, sources.6, sources.7, sources.8,
    ].compactMap { $0?.pointee }
    // The newest column first: it writes, the others add.
    for (back, tap) in taps.reversed().enumerated() where Int64(back) < result.ne.1 {
        let groups = Int(tap.ne.1)
        ck_multiply(
            ck_best_kind(),
            tap.ne.0 / Int64(PackedMatrix.tileBytes) * Int64(PackedMatrix.block),
            result.ne.0,
            result.ne.1 - Int64(back),
            Int64(groups * Int(thread) / Int(threads)),
            Int64(groups * Int(thread + 1) / Int(threads)),
            tap.data,
            columns,
            back == 0 ? 0 : 1,
            to + back * Int(result.ne.0)
        )
    }
}
