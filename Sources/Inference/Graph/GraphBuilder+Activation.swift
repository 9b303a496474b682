internal import CKernels
internal import CLlama
package import VoiceCore

/// What a linear layer's results go through.
package enum Activation: Sendable {
    /// Exact GELU: x · Φ(x), to within 5e-7 of the magnitude.
    case geluExact
    /// tanh(x), to within 4e-7.
    case tanh
}

/// Linear layers with their bias and activation in one pass over the product, computed by our own loops on the CPU.
///
/// ggml 0.25.3 calls `erff` and `tanhf` for one element at a time: 45 ms for the GELUs of one Smart Turn verdict, where
/// these take 5 ms (measured on an AMD EPYC, Zen 3). On other devices they become ggml's operations.
extension GraphBuilder {
    /// activation(``matmul(_:_:)`` + bias).
    /// - Parameters:
    ///   - x: shape [k, m, …].
    ///   - weights: shape [k, n, …].
    ///   - bias: n values, F32.
    package func linear(
        _ x: Tensor,
        _ weights: Tensor,
        bias: Tensor,
        activation: Activation
    ) throws(VoiceError) -> Tensor {
        try activated(matmul(weights, x), bias: bias, activation)
    }

    /// activation(x + bias), row by row.
    ///
    /// x has no gaps, is a value of this graph and nobody else's operand: it is overwritten.
    /// - Parameter bias: as many values as a row has, F32.
    package func activated(_ x: Tensor, bias: Tensor, _ activation: Activation) throws(VoiceError) -> Tensor {
        for tensor in [x, bias] { try requireContiguous("activated", tensor) }
        guard x.owner === storage else { throw mismatch("activated", "\(x) is a weight and cannot be overwritten") }
        guard bias.shape.count == x.shape[0] else {
            throw mismatch("activated", "a bias \(bias.shape) has not one value for each of a row's \(x.shape[0])")
        }
        guard storage.stream.device.kind == .cpu else {
            let sum = try add(x, bias)
            switch activation {
            case .geluExact: return try geluExact(sum)
            case .tanh: return try tanh(sum)
            }
        }
        let kernel = activation.kernel
        return try make("activated", [x, bias]) {
            ggml_map_custom2_inplace(context, x.pointer, bias.pointer, kernel, ggmlEveryThread, nil)
        }
    }

    /// Gaussian error linear unit by its tanh approximation, x · (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, to within 1e-6
    /// of the magnitude; ``gelu(_:)`` rounds to half precision on the CPU.
    ///
    /// x has no gaps, is a value of this graph and nobody else's operand: it is overwritten. Source of the formula:
    /// Hendrycks and Gimpel, "Gaussian error linear units" (arXiv 1606.08415).
    package func geluTanh(_ x: Tensor) throws(VoiceError) -> Tensor {
        try requireContiguous("geluTanh", x)
        guard x.owner === storage else { throw mismatch("geluTanh", "\(x) is a weight and cannot be overwritten") }
        guard storage.stream.device.kind == .cpu else { return try gelu(x) }
        return try make("geluTanh", [x]) {
            ggml_map_custom1_inplace(
                context,
                x.pointer,
                { result, _, thread, threads, _ in activateGELU(result, thread, threads) },
                ggmlEveryThread,
                nil
            )
        }
    }
}

/// Replaces this thread's share of x, which `GraphBuilder.geluTanh` has checked.
private func activateGELU(_ x: UnsafeMutablePointer<ggml_tensor>?, _ thread: Int32, _ threads: Int32) {
    guard let x = x?.pointee, let values = x.data?.assumingMemoryBound(to: Float.self) else { return }
    let count = x.ne.0 * x.ne.1 * x.ne.2 * x.ne.3
    let (first, end) = (count * Int64(thread) / Int64(threads), count * Int64(thread + 1) / Int64(threads))
    ck_gelu(end - first, values + Int(first))
}

extension Activation {
    fileprivate var kernel: ggml_custom2_op_t {
        switch self {
        case .geluExact:
            { result, _, bias, thread, threads, _ in
                activate(result, bias, thread, threads) { 0.5 * $0 * (1 + OddRational.errorFunction($0)) }
            }
        case .tanh:
            { result, _, bias, thread, threads, _ in
                activate(result, bias, thread, threads, OddRational.hyperbolicTangent)
            }
        }
    }
}

/// Replaces x by function(x + bias), row by row; each thread takes its share of the rows.
@inline(__always)
private func activate(
    _ x: UnsafeMutablePointer<ggml_tensor>?,
    _ bias: UnsafePointer<ggml_tensor>?,
    _ thread: Int32,
    _ threads: Int32,
    _ function: (SIMD8<Float>) -> SIMD8<Float>
) {
    // ggml calls with the tensors of `ggml_map_custom2_inplace`, allocated. `activated` has checked that x and the bias
    // are F32 without gaps, and that the bias has the length of a row.
    guard let x = x?.pointee, let values = x.data, let bias = bias?.pointee.data else { return }
    let length = Int(x.ne.0)
    let rows = Int(x.ne.1 * x.ne.2 * x.ne.3)
    let share = (rows + Int(threads) - 1) / Int(threads)
    let first = Int(thread) * share
    let lanes = SIMD8<Float>.scalarCount
    let whole = length - length % lanes
    for row in stride(from: first, to: min(first + share, rows), by: 1) {
        let values = values + row * length * 4
        for column in stride(from: 0, to: whole, by: lanes) {
            let offset = column * 4
            let sum =
                values.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                + bias.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            values.storeBytes(of: function(sum), toByteOffset: offset, as: SIMD8<Float>.self)
        }
        for column in whole..<length {
            let offset = column * 4
            let sum =
                values.load(fromByteOffset: offset, as: Float.self) + bias.load(fromByteOffset: offset, as: Float.self)
            values.storeBytes(of: function(SIMD8(repeating: sum))[0], toByteOffset: offset, as: Float.self)
        }
    }
}
