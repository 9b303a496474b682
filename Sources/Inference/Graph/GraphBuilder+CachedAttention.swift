internal import CKernels
internal import CLlama
package import VoiceCore

/// The rows of a key and a value cache that one position of a sequence attends to.
package struct CacheSpan: Sendable, Equatable {
    /// Rows that come first and may be other sequences' as well; may be empty.
    package var shared: Range<Int>
    /// Rows of its own. The last one is the position itself; its key and value are written there.
    package var own: Range<Int>

    /// Makes a span.
    package init(shared: Range<Int> = 0..<0, own: Range<Int>) {
        self.shared = shared
        self.own = own
    }
}

/// Spans that are set from outside before a run, one per query.
package struct SpanInput {
    enum Form {
        /// Four numbers a query: attention reads the rows where they lie. CPU only.
        case inPlace(Tensor)
        /// Rows are gathered by ggml's own operations: any device.
        case gathered(GatheredSpans)
    }

    let form: Form
    let rows: Int
}

/// How many rows are gathered for cached attention on devices that cannot read them where they lie.
package struct SpanGathering: Sendable, Hashable {
    /// Sequences that take part, each with the same number of new positions, one sequence after the other.
    package var sequences: Int
    /// Rows that each sequence has before its new positions, at most: shorter ones are padded.
    package var before: Int

    /// Makes a size.
    package init(sequences: Int, before: Int) {
        self.sequences = sequences
        self.before = before
    }
}

extension GraphBuilder {
    /// Attention of new positions to what caches hold of those before them: writes the new keys and values, then computes
    /// softmax(q kᵀ / √d) v for each position over its span.
    ///
    /// Several new positions of one sequence may be computed together: each sees those before it. In one graph each cache
    /// takes part once. On the CPU the rows are read where they lie, in one pass; spans that were declared with a gathering make
    /// ggml's own operations gather them, on any device.
    /// - Parameters:
    ///   - x: shape [3 · width, queries] without gaps: query, key and value of each position, head by head.
    ///   - keys: a matrix of a ``StateArena`` with rows of the width, F32 or F16.
    ///   - values: the same.
    ///   - spans: declared by ``spans(_:count:rows:)`` for these queries and caches.
    ///   - heads: at most 128.
    /// - Returns: shape [width, queries].
    package func cachedAttention(
        _ x: Tensor,
        keys: Tensor,
        values: Tensor,
        spans: SpanInput,
        heads: Int
    ) throws(VoiceError) -> Tensor {
        try requireContiguous("cachedAttention", x)
        let (width, queries) = (keys.shape[0], x.shape[1])
        guard x.shape == [3 * width, queries], keys.shape == values.shape, keys.shape[2] == 1, keys.shape[3] == 1 else {
            throw mismatch("cachedAttention", "\(x), keys \(keys) and values \(values) do not fit")
        }
        for cache in [keys, values] {
            guard cache.owner is TensorStorage, cache.type == keys.type, cache.type == .f32 || cache.type == .f16 else {
                throw mismatch("cachedAttention", "\(cache) is not a state of plain numbers")
            }
        }
        guard heads > 0, heads <= Int(ck_most_heads), width % heads == 0 else {
            throw mismatch("cachedAttention", "\(heads) heads do not divide a width of \(width)")
        }
        guard spans.rows == keys.shape[1] else {
            throw mismatch("cachedAttention", "the spans are not those of \(keys)")
        }
        let places: Tensor
        switch spans.form {
        case .inPlace(let tensor): places = tensor
        case .gathered(let gathered):
            return try gatheredAttention(x, keys: keys, values: values, gathered, heads: heads)
        }
        guard places.shape == [4, queries] else {
            throw mismatch("cachedAttention", "the spans are not those of \(queries) queries")
        }
        // The heads are told by a shape.
        let split = try reshape(x, [width / heads, 3 * heads, queries])
        return try custom("cachedAttention", .f32, [width, queries], [split, keys, values, places]) {
            result,
            thread,
            threads,
            _ in
            attendToCache(result, thread, threads)
        }
    }
}

/// Computes this thread's heads. ggml calls it with tensors that `cachedAttention` has made and checked; the spans were
/// checked when they were written, and before that they are zero, which stands for the first row of the cache.
private func attendToCache(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let x = result.src.0?.pointee, let keys = result.src.1?.pointee,
        let values = result.src.2?.pointee, let spans = result.src.3?.pointee, let spanData = spans.data,
        let qkv = x.data, let out = result.data
    else { return }
    let heads = x.ne.1 / 3
    var attention = ck_attention(
        heads: heads,
        head_width: x.ne.0,
        queries: result.ne.1,
        is_half: keys.type == GGML_TYPE_F16 ? 1 : 0,
        qkv: qkv.assumingMemoryBound(to: Float.self),
        spans: spanData.assumingMemoryBound(to: Int32.self),
        keys: keys.data,
        values: values.data,
        out: out.assumingMemoryBound(to: Float.self)
    )
    ck_attend(&attention, heads * Int64(thread) / Int64(threads), heads * Int64(thread + 1) / Int64(threads))
}
