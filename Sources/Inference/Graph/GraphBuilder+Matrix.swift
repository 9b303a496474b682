internal import CLlama
package import VoiceCore

extension GraphBuilder {
    /// Matrix product: result[n, m] = Σₖ weights[k, n] · x[k, m], which is `x @ weights.T` in row-major terms. Dimensions 2
    /// and 3 of x are multiples of the weights'.
    /// - Parameters:
    ///   - weights: shape [k, n, …], any type with real numbers.
    ///   - x: shape [k, m, …], F32; F16 where the weights are F16.
    /// - Returns: shape [n, m, …], F32.
    package func matmul(_ weights: Tensor, _ x: Tensor) throws(VoiceError) -> Tensor {
        let (a, b) = (weights.shape, x.shape)
        guard a[0] == b[0], b[2] % a[2] == 0, b[3] % a[3] == 0 else {
            throw mismatch("matmul", "\(b) cannot be multiplied by \(a)")
        }
        guard !weights.type.isInteger, ![.f64, .q8_1, .q8_k].contains(weights.type) else {
            throw mismatch("matmul", "weights of \(weights.type) cannot be multiplied")
        }
        guard x.type == .f32 || (x.type == .f16 && weights.type == .f16) else {
            throw mismatch("matmul", "\(x.type) cannot be multiplied by \(weights.type)")
        }
        guard weights.hasContiguousRows, x.hasContiguousRows, weights.stride(0) <= weights.stride(1) else {
            throw mismatch("matmul", "an operand's rows are scattered; make it contiguous")
        }
        let fitting = try storage.stream.device.kind == .cpu || x.hasPairedRows ? x : contiguous(x)
        return try make("matmul", [weights, fitting]) { ggml_mul_mat(context, weights.pointer, fitting.pointer) }
    }

    /// Linear layer: ``matmul(_:_:)``, then a bias of shape [n] added to each column.
    package func linear(_ x: Tensor, _ weights: Tensor, bias: Tensor? = nil) throws(VoiceError) -> Tensor {
        let product = try matmul(weights, x)
        guard let bias else { return product }
        return try add(product, bias)
    }

    /// Each row (dimension 0) shifted to mean 0 and scaled to variance 1; epsilon is added to the variance.
    package func norm(_ x: Tensor, epsilon: Float) throws(VoiceError) -> Tensor {
        try requireRows("norm", x)
        return try make("norm", [x]) { ggml_norm(context, x.pointer, epsilon) }
    }

    /// ``norm(_:epsilon:)``, then multiplied by `weight` and shifted by `bias`, each of the row's length.
    package func layerNorm(
        _ x: Tensor,
        weight: Tensor,
        bias: Tensor,
        epsilon: Float = 1e-5
    ) throws(VoiceError) -> Tensor {
        try add(multiply(norm(x, epsilon: epsilon), weight), bias)
    }

    /// ``norm(_:epsilon:)``, then multiplied by `weight`, which has the row's length.
    package func layerNorm(_ x: Tensor, weight: Tensor, epsilon: Float = 1e-5) throws(VoiceError) -> Tensor {
        try multiply(norm(x, epsilon: epsilon), weight)
    }

    /// Each row divided by the root of its mean square; epsilon is added to the mean square.
    package func rmsNorm(_ x: Tensor, epsilon: Float) throws(VoiceError) -> Tensor {
        try requireRows("rmsNorm", x)
        return try make("rmsNorm", [x]) { ggml_rms_norm(context, x.pointer, epsilon) }
    }

    /// The sum of each row: shape [n, …] becomes [1, …].
    package func sumRows(_ x: Tensor) throws(VoiceError) -> Tensor {
        try requireRows("sumRows", x)
        return try make("sumRows", [x]) { ggml_sum_rows(context, x.pointer) }
    }

    /// The mean of each row: shape [n, …] becomes [1, …].
    package func meanRows(_ x: Tensor) throws(VoiceError) -> Tensor {
        try requireRows("meanRows", x)
        return try make("meanRows", [x]) { ggml_mean(context, x.pointer) }
    }

    /// The place of the greatest element of each row: shape [n, m] becomes m indices, I32.
    package func argmax(_ x: Tensor) throws(VoiceError) -> Tensor {
        try requireRows("argmax", x)
        guard x.shape[2] == 1, x.shape[3] == 1 else { throw mismatch("argmax", "\(x.shape) is not a matrix") }
        var result = try make("argmax", [x]) { ggml_argmax(context, x.pointer) }
        result.indexBound = x.shape[0]
        return result
    }

    /// Rows of a table, chosen by index: rows [n, r] and m indices give [n, m], F32.
    /// - Parameter indices: declared by ``indices(_:count:below:)`` with a bound of at most r, or from ``argmax(_:)``.
    package func rows(of table: Tensor, at indices: Tensor) throws(VoiceError) -> Tensor {
        guard indices.type == .i32, let bound = indices.indexBound, bound <= table.shape[1] else {
            throw mismatch("rows", "the indices are not known to be below \(table.shape[1])")
        }
        guard table.shape[2] == 1, table.shape[3] == 1, indices.shape.rank == 1 else {
            throw mismatch("rows", "\(table.shape) is not a matrix, or \(indices.shape) not a vector")
        }
        guard table.type.isConvertible, table.hasContiguousRows else {
            throw mismatch("rows", "\(table) has scattered rows or does not hold real numbers")
        }
        return try make("rows", [table, indices]) { ggml_get_rows(context, table.pointer, indices.pointer) }
    }
}
