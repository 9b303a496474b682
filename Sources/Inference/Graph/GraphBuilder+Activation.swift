internal import CLlama
package import VoiceCore

/// Activations in one pass over the data, computed by our own loops on the CPU.
///
/// ggml 0.25.3 calls `erff` and `tanhf` for one element at a time: 45 ms for the GELUs of one Smart Turn verdict, where
/// these take 3 ms (measured on an AMD EPYC, Zen 3). On other devices they become ggml's operations.
extension GraphBuilder {
    /// Exact GELU of x + bias: (x + bias) · Φ(x + bias), to within 5e-7 of the magnitude.
    /// - Parameters:
    ///   - x: F32 without gaps.
    ///   - bias: one F32 value per element of a row.
    package func geluExact(_ x: Tensor, bias: Tensor) throws(VoiceError) -> Tensor {
        guard isOnCPU else { return try geluExact(add(x, bias)) }
        return try biasedActivation("geluExact", x, bias) { result, x, bias, thread, threads, _ in
            activate(result, x, bias, thread, threads) { value in
                0.5 * value * (1 + OddRational.errorFunction(value))
            }
        }
    }

    /// tanh(x + bias), to within 4e-7.
    /// - Parameters:
    ///   - x: F32 without gaps.
    ///   - bias: one F32 value per element of a row.
    package func tanh(_ x: Tensor, bias: Tensor) throws(VoiceError) -> Tensor {
        guard isOnCPU else { return try tanh(add(x, bias)) }
        return try biasedActivation("tanh", x, bias) { result, x, bias, thread, threads, _ in
            activate(result, x, bias, thread, threads, OddRational.hyperbolicTangent)
        }
    }

    private var isOnCPU: Bool { storage.stream.device.kind == .cpu }

    private func biasedActivation(
        _ operation: String,
        _ x: Tensor,
        _ bias: Tensor,
        _ kernel: @escaping ggml_custom2_op_t
    ) throws(VoiceError) -> Tensor {
        try requireContiguous(operation, x)
        try requireContiguous(operation, bias)
        guard bias.shape.count == x.shape[0] else {
            throw mismatch(operation, "a bias \(bias.shape) has not one value per element of the rows of \(x.shape)")
        }
        return try make(operation, [x, bias]) {
            ggml_map_custom2(context, x.pointer, bias.pointer, kernel, ggmlAnyThreads, nil)
        }
    }
}

/// `GGML_N_TASKS_MAX`: as many tasks as the stream has threads. A macro that Swift does not import.
private let ggmlAnyThreads: Int32 = -1

/// Applies `function` to x + bias, row by row; each thread takes its share of the rows.
@inline(__always)
private func activate(
    _ result: UnsafeMutablePointer<ggml_tensor>?,
    _ x: UnsafePointer<ggml_tensor>?,
    _ bias: UnsafePointer<ggml_tensor>?,
    _ thread: Int32,
    _ threads: Int32,
    _ function: (SIMD8<Float>) -> SIMD8<Float>
) {
    // ggml calls with the three tensors of `ggml_map_custom2`, allocated; `biasedActivation` has checked that they are
    // F32 without gaps and that the bias has the length of a row.
    guard let result = result?.pointee.data, let x = x?.pointee, let bias = bias?.pointee.data,
        let source = x.data
    else { return }
    let length = Int(x.ne.0)
    let rows = Int(x.ne.1 * x.ne.2 * x.ne.3)
    let share = (rows + Int(threads) - 1) / Int(threads)
    let first = Int(thread) * share
    let lanes = SIMD8<Float>.scalarCount
    let whole = length - length % lanes
    for row in stride(from: first, to: min(first + share, rows), by: 1) {
        let offset = row * length * 4
        for column in stride(from: 0, to: whole, by: lanes) {
            let value =
                source.loadUnaligned(fromByteOffset: offset + column * 4, as: SIMD8<Float>.self)
                + bias.loadUnaligned(fromByteOffset: column * 4, as: SIMD8<Float>.self)
            result.storeBytes(of: function(value), toByteOffset: offset + column * 4, as: SIMD8<Float>.self)
        }
        for column in whole..<length {
            let value =
                source.load(fromByteOffset: offset + column * 4, as: Float.self)
                + bias.load(fromByteOffset: column * 4, as: Float.self)
            let activated = function(SIMD8(repeating: value))[0]
            result.storeBytes(of: activated, toByteOffset: offset + column * 4, as: Float.self)
        }
    }
}
