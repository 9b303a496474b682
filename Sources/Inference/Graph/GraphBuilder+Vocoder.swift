internal import CKernels
internal import CLlama
package import VoiceCore

/// Activations of vocoders by our own loops, for CPUs that ``PackedKernels`` support. F32 without gaps.
extension GraphBuilder {
    /// max(s, 0) + slope · min(s, 0) of s = scale · (sum of the terms).
    /// - Parameters:
    ///   - terms: 1 to 8 tensors of the same shape.
    ///   - parameters: scale and slope.
    package func leakyReLU(_ terms: [Tensor], parameters: Tensor) throws(VoiceError) -> Tensor {
        let name = "leakyReLU"
        guard let first = terms.first, terms.count <= Int(va_most_terms) else {
            throw mismatch(name, "it takes 1 to \(va_most_terms) terms, not \(terms.count)")
        }
        for term in terms where term.shape != first.shape {
            throw mismatch(name, "\(term.shape) cannot be added to \(first.shape)")
        }
        guard parameters.shape == [2] else { throw mismatch(name, "\(parameters.shape) is not scale and slope") }
        for tensor in terms + [parameters] { try requireContiguous(name, tensor) }
        return try ownLoop(name, first.shape, [parameters] + terms) { result, thread, threads, _ in
            rectify(result, thread, threads)
        }
    }

    /// tanh of the first half of each column times sigmoid of the second half.
    /// - Parameter x: shape [2 · channels, columns].
    /// - Returns: shape [channels, columns].
    package func gate(_ x: Tensor) throws(VoiceError) -> Tensor {
        guard x.shape[0] % 2 == 0, x.shape[2] == 1, x.shape[3] == 1 else {
            throw mismatch("gate", "\(x.shape) has no two halves")
        }
        try requireContiguous("gate", x)
        return try ownLoop("gate", [x.shape[0] / 2, x.shape[1]], [x]) { result, thread, threads, _ in
            openGate(result, thread, threads)
        }
    }
}

// ggml calls these from every thread, with tensors that the operations above have made and checked.

private func rectify(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let to = result.data?.assumingMemoryBound(to: Float.self),
        let parameters = result.src.0?.pointee.data?.assumingMemoryBound(to: Float.self)
    else { return }
    let groups = (Int(result.ne.0 * result.ne.1 * result.ne.2 * result.ne.3) + 15) / 16
    let first = groups * Int(thread) / Int(threads) * 16
    let count = Int(result.ne.0 * result.ne.1 * result.ne.2 * result.ne.3)
    let last = min(count, groups * Int(thread + 1) / Int(threads) * 16)
    guard first < last else { return }
    let sources = result.src
    let terms = [
        sources.1, sources.2, sources.3, sources.4, sources.5, sources.6, sources.7, sources.8,
    ].compactMap { $0?.pointee.data }.map { Optional(UnsafePointer($0.assumingMemoryBound(to: Float.self)) + first) }
    va_leaky_sum(
        cc_best_kind(),
        Int64(last - first),
        Int64(terms.count),
        terms,
        parameters[0],
        parameters[1],
        to + first
    )
}

private func openGate(_ result: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let result = result?.pointee, let to = result.data?.assumingMemoryBound(to: Float.self),
        let from = result.src.0?.pointee.data?.assumingMemoryBound(to: Float.self)
    else { return }
    let (channels, columns) = (Int(result.ne.0), Int(result.ne.1))
    let (first, last) = (columns * Int(thread) / Int(threads), columns * Int(thread + 1) / Int(threads))
    guard first < last else { return }
    va_gate(
        cc_best_kind(),
        Int64(channels),
        Int64(last - first),
        from + first * 2 * channels,
        to + first * channels
    )
}
