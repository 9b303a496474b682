internal import CLlama
package import VoiceCore

extension GraphBuilder {
    /// softmax(x · scale + mask) over each row. x has no gaps.
    /// - Parameters:
    ///   - x: shape [keys, queries, heads, …].
    ///   - mask: shape [keys, queries, …], F32 or F16, added before the softmax: 0 keeps, −∞ hides. Dimensions 2 and 3
    ///     of x are multiples of the mask's.
    ///   - scale: a factor on x.
    package func softmax(_ x: Tensor, mask: Tensor? = nil, scale: Float = 1) throws(VoiceError) -> Tensor {
        try requireContiguous("softmax", x)
        if let mask {
            try requireMask("softmax", mask, types: [.f32, .f16], keys: x.shape[0], queries: x.shape[1])
            guard x.shape[2] % mask.shape[2] == 0, x.shape[3] % mask.shape[3] == 0 else {
                throw mismatch("softmax", "a mask \(mask.shape) does not repeat into \(x.shape)")
            }
        }
        return try make("softmax", [x] + (mask.map { [$0] } ?? [])) {
            ggml_soft_max_ext(context, x.pointer, mask?.pointer, scale, 0)
        }
    }

    /// Attention without storing the scores: softmax(qᵀk · scale + mask) v.
    /// - Parameters:
    ///   - q: shape [d, queries, heads], F32.
    ///   - k: shape [d, keys, key heads], F32 or F16; heads is a multiple of key heads.
    ///   - v: shape [e, keys, key heads], of the same type as k; not transposed.
    ///   - mask: shape [keys, queries], F16, added to the scores.
    ///   - scale: a factor on the scores, usually d^−½.
    /// - Returns: shape [e, heads, queries], F32: one row of e · heads elements per query.
    package func flashAttention(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor? = nil,
        scale: Float
    ) throws(VoiceError) -> Tensor {
        try requireRows("flashAttention", q)
        guard k.shape[0] == q.shape[0], v.shape[1] == k.shape[1], v.shape[2] == k.shape[2],
            q.shape[2] % k.shape[2] == 0, q.shape[3] == k.shape[3], q.shape[3] == v.shape[3]
        else { throw mismatch("flashAttention", "q \(q.shape), k \(k.shape) and v \(v.shape) do not fit") }
        guard k.type == v.type, k.type == .f32 || k.type == .f16, k.hasContiguousRows, v.hasContiguousRows,
            k.stride(0) <= k.stride(1)
        else { throw mismatch("flashAttention", "k \(k) and v \(v) are not F32 or F16 with contiguous rows") }
        if let mask {
            try requireMask("flashAttention", mask, types: [.f16], keys: k.shape[1], queries: q.shape[1])
            guard q.shape[2] % mask.shape[2] == 0, q.shape[3] % mask.shape[3] == 0 else {
                throw mismatch("flashAttention", "a mask \(mask.shape) does not repeat into the heads of \(q.shape)")
            }
        }
        return try make("flashAttention", [q, k, v] + (mask.map { [$0] } ?? [])) {
            let result: UnsafeMutablePointer<ggml_tensor> = ggml_flash_attn_ext(
                context,
                q.pointer,
                k.pointer,
                v.pointer,
                mask?.pointer,
                scale,
                0,
                0
            )
            ggml_prec_set_acc(result, GGML_PREC_F32)
            return result
        }
    }

    /// Relative-position scores moved to the keys they belong to: element (j, i) of the result is element
    /// (j + q − 1 − i, i) of x, so that row i, which starts one relative position later than row i − 1, lines up by key.
    ///
    /// A view, without copying. Source: Transformer-XL (arXiv 1901.02860, appendix B), in closed form.
    /// - Parameter x: shape [k + q − 1, q, …] without gaps: scores of q queries against relative positions, the most
    ///   distant first.
    /// - Returns: shape [k, q, …].
    package func relativeShift(_ x: Tensor) throws(VoiceError) -> Tensor {
        try requireContiguous("relativeShift", x)
        let (positions, queries) = (x.shape[0], x.shape[1])
        let keys = positions - queries + 1
        guard keys > 0 else { throw mismatch("relativeShift", "\(x.shape) has fewer positions than queries") }
        // In bounds: row i ends at element i · (positions − 1) + queries − 1 + keys − 1 ≤ (i + 1) · positions − 1 − i.
        return try make("relativeShift", [x]) {
            ggml_view_4d(
                context,
                x.pointer,
                Int64(keys),
                Int64(queries),
                Int64(x.shape[2]),
                Int64(x.shape[3]),
                x.stride(1) - x.stride(0),
                x.stride(2),
                x.stride(3),
                (queries - 1) * x.stride(0)
            )
        }
    }

    /// Values mixed by attention weights: result[e, i] = Σⱼ values[e, j] · weights[j, i].
    /// - Parameters:
    ///   - values: shape [e, keys, heads, …], F32, rows contiguous; may be a permuted view.
    ///   - weights: shape [keys, queries, heads, …], F32, rows contiguous.
    /// - Returns: shape [e, queries, heads, …] without gaps.
    package func mix(_ values: Tensor, by weights: Tensor) throws(VoiceError) -> Tensor {
        try requireRows("mix", values, weights)
        let (v, w) = (values.shape, weights.shape)
        guard v[1] == w[0], v[2] == w[2], v[3] == w[3] else {
            throw mismatch("mix", "values \(v) and weights \(w) do not fit")
        }
        guard storage.stream.device.kind == .cpu else {
            // Not every GPU backend has the outer product.
            return try matmul(contiguous(transpose(values)), weights)
        }
        let turned = try transpose(weights)
        return try make("mix", [values, turned]) { ggml_out_prod(context, values.pointer, turned.pointer) }
    }

    private func requireMask(
        _ operation: String,
        _ mask: Tensor,
        types: Set<ElementType>,
        keys: Int,
        queries: Int
    ) throws(VoiceError) {
        guard types.contains(mask.type), mask.isContiguous, mask.shape[0] == keys, mask.shape[1] >= queries else {
            throw mismatch(operation, "a mask \(mask) does not cover \(keys) keys and \(queries) queries")
        }
    }
}
