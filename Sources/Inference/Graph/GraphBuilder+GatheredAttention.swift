internal import VoiceCore

/// Spans as ggml's own operations take them: where new rows go, which earlier rows there are, who may look at what.
struct GatheredSpans {
    /// Which rows, for one run.
    struct Rows: Equatable {
        /// For each query, where its key and value are kept.
        var places: [Int32]
        /// For each sequence, `before` rows; those that pad it are its first one, which was written, and the mask hides them.
        var earlier: [Int32]
        /// What is added to the scores, shape [before + new, new, 1, sequences].
        var mask: [Float]
    }

    let gathering: SpanGathering
    /// New positions of a sequence.
    let new: Int
    let places: GraphInput
    /// nil where no sequence has anything before.
    let earlier: GraphInput?
    let mask: GraphInput

    /// Works out the rows.
    /// - Parameter spans: each with a row of its own.
    /// - Throws: ``VoiceError/Code/fault`` when the spans are not those of so many sequences, each with new positions one after
    ///   the other, or when one has more before than was declared, or nothing where others have something.
    func rows(of spans: [CacheSpan]) throws(VoiceError) -> Rows {
        guard spans.count == gathering.sequences * new else {
            throw VoiceError(.fault, "\(spans.count) spans are not \(new) of each of \(gathering.sequences) sequences.")
        }
        var rows = Rows(places: [], earlier: [], mask: [])
        for sequence in 0..<gathering.sequences {
            let queries = spans[(sequence * new)..<((sequence + 1) * new)]
            let first = queries[queries.startIndex]
            let before = first.own.dropLast()
            let count = first.shared.count + before.count
            guard count <= gathering.before, count > 0 || gathering.before == 0 else {
                throw VoiceError(.fault, "A sequence has \(count) rows before, where \(gathering.before) are gathered.")
            }
            let place = Int32(first.own.upperBound - 1)
            for (index, span) in queries.enumerated() {
                let own = first.own.lowerBound..<(first.own.upperBound + index)
                guard span == CacheSpan(shared: first.shared, own: own) else {
                    throw VoiceError(.fault, "The new positions of a sequence do not follow each other.")
                }
                rows.places.append(place + Int32(index))
                for row in 0..<gathering.before { rows.mask.append(row < count ? 0 : -.infinity) }
                for row in 0..<new { rows.mask.append(row <= index ? 0 : -.infinity) }
            }
            let earlier = first.shared.map { Int32($0) } + before.map { Int32($0) }
            rows.earlier += earlier + repeatElement(earlier.first ?? 0, count: gathering.before - count)
        }
        return rows
    }
}

extension GraphBuilder {
    /// Declares the inputs of gathered spans.
    func gatheredSpans(
        _ name: String,
        count: Int,
        rows: Int,
        _ gathering: SpanGathering
    ) throws(VoiceError) -> GatheredSpans {
        let (sequences, before) = (gathering.sequences, gathering.before)
        guard sequences > 0, before >= 0, count > 0, count % sequences == 0 else {
            throw mismatch("spans", "'\(name)' cannot gather \(gathering) for \(count) queries")
        }
        let new = count / sequences
        return GatheredSpans(
            gathering: gathering,
            new: new,
            places: try indices("\(name).places", count: count, below: rows),
            earlier: before > 0 ? try indices("\(name).earlier", count: before * sequences, below: rows) : nil,
            mask: try input("\(name).mask", shape: [before + new, new, 1, sequences])
        )
    }

    /// ``cachedAttention(_:keys:values:spans:heads:)`` of ggml's own operations. What was checked there is not checked again.
    func gatheredAttention(
        _ x: Tensor,
        keys: Tensor,
        values: Tensor,
        _ spans: GatheredSpans,
        heads: Int
    ) throws(VoiceError) -> Tensor {
        let (width, queries) = (keys.shape[0], x.shape[1])
        let (sequences, new, before) = (spans.gathering.sequences, spans.new, spans.gathering.before)
        guard queries == sequences * new else {
            throw mismatch("cachedAttention", "the spans are not those of \(queries) queries")
        }
        func part(_ index: Int) throws(VoiceError) -> Tensor {
            try contiguous(slice(x, dimension: 0, (index * width)..<((index + 1) * width)))
        }
        /// Shape [head width, rows, heads, sequences].
        func byHead(_ x: Tensor, _ rows: Int) throws(VoiceError) -> Tensor {
            try permute(reshape(x, [width / heads, heads, rows, sequences]), [0, 2, 1, 3])
        }
        /// New rows behind those of the cache, which is read as it was before the run.
        func seen(_ x: Tensor, _ cache: Tensor) throws(VoiceError) -> Tensor {
            try store(x, into: cache, at: spans.places.tensor)
            guard let earlier = spans.earlier else { return x }
            let old = try reshape(rows(of: cache, at: earlier.tensor), [width, before, sequences])
            return try concat(old, reshape(x, [width, new, sequences]), dimension: 1)
        }
        let (k, v) = (try seen(part(1), keys), try seen(part(2), values))
        let scores = try matmul(byHead(k, before + new), contiguous(byHead(part(0), new)))
        let shares = try softmax(scores, mask: spans.mask.tensor, scale: 1 / Float(width / heads).squareRoot())
        let mixed = try mix(byHead(v, before + new), by: shares)
        return try reshape(contiguous(permute(mixed, [0, 2, 1, 3])), [width, queries])
    }
}
