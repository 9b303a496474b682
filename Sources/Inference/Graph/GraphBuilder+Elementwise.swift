internal import CLlama
package import VoiceCore

extension GraphBuilder {
    /// a + b, element by element. b may be smaller where each dimension of a is a multiple of b's: it is repeated.
    package func add(_ a: Tensor, _ b: Tensor) throws(VoiceError) -> Tensor {
        try elementwise("add", a, b) { ggml_add(context, $0, $1) }
    }

    /// a − b; b is repeated like in ``add(_:_:)``.
    package func subtract(_ a: Tensor, _ b: Tensor) throws(VoiceError) -> Tensor {
        try elementwise("subtract", a, b) { ggml_sub(context, $0, $1) }
    }

    /// a · b, element by element; b is repeated like in ``add(_:_:)``.
    package func multiply(_ a: Tensor, _ b: Tensor) throws(VoiceError) -> Tensor {
        try elementwise("multiply", a, b) { ggml_mul(context, $0, $1) }
    }

    /// a / b, element by element; b is repeated like in ``add(_:_:)``.
    package func divide(_ a: Tensor, _ b: Tensor) throws(VoiceError) -> Tensor {
        try elementwise("divide", a, b) { ggml_div(context, $0, $1) }
    }

    /// factor · x + bias. x has no gaps.
    package func scale(_ x: Tensor, by factor: Float, plus bias: Float = 0) throws(VoiceError) -> Tensor {
        try requireContiguous("scale", x)
        return try make("scale", [x]) { ggml_scale_bias(context, x.pointer, factor, bias) }
    }

    /// x limited to a range.
    package func clamp(_ x: Tensor, to range: ClosedRange<Float>) throws(VoiceError) -> Tensor {
        try requireContiguous("clamp", x)
        return try make("clamp", [x]) { ggml_clamp(context, x.pointer, range.lowerBound, range.upperBound) }
    }

    /// Gaussian error linear unit, exact: x · Φ(x).
    package func geluExact(_ x: Tensor) throws(VoiceError) -> Tensor {
        try unary("geluExact", x) { ggml_gelu_erf(context, $0) }
    }

    /// Gaussian error linear unit by its tanh approximation (a table of F16 values on the CPU).
    package func gelu(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("gelu", x) { ggml_gelu(context, $0) } }

    /// x · sigmoid(x), also called swish.
    package func silu(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("silu", x) { ggml_silu(context, $0) } }

    /// 1 / (1 + e⁻ˣ).
    package func sigmoid(_ x: Tensor) throws(VoiceError) -> Tensor {
        try unary("sigmoid", x) { ggml_sigmoid(context, $0) }
    }

    /// Hyperbolic tangent.
    package func tanh(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("tanh", x) { ggml_tanh(context, $0) } }

    /// max(x, 0).
    package func relu(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("relu", x) { ggml_relu(context, $0) } }

    /// eˣ.
    package func exp(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("exp", x) { ggml_exp(context, $0) } }

    /// |x|.
    package func abs(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("abs", x) { ggml_abs(context, $0) } }

    /// −x.
    package func negate(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("negate", x) { ggml_neg(context, $0) } }

    /// x².
    package func square(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("square", x) { ggml_sqr(context, $0) } }

    /// √x.
    package func squareRoot(_ x: Tensor) throws(VoiceError) -> Tensor {
        try unary("squareRoot", x) { ggml_sqrt(context, $0) }
    }

    /// Natural logarithm.
    package func log(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("log", x) { ggml_log(context, $0) } }

    /// Sine of x in radians.
    package func sin(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("sin", x) { ggml_sin(context, $0) } }

    /// Cosine of x in radians.
    package func cos(_ x: Tensor) throws(VoiceError) -> Tensor { try unary("cos", x) { ggml_cos(context, $0) } }

    private func unary(
        _ operation: String,
        _ x: Tensor,
        _ body: (UnsafeMutablePointer<ggml_tensor>) -> UnsafeMutablePointer<ggml_tensor>
    ) throws(VoiceError) -> Tensor {
        try requireContiguous(operation, x)
        return try make(operation, [x]) { body(x.pointer) }
    }

    private func elementwise(
        _ operation: String,
        _ a: Tensor,
        _ b: Tensor,
        _ body: (UnsafeMutablePointer<ggml_tensor>, UnsafeMutablePointer<ggml_tensor>) ->
            UnsafeMutablePointer<ggml_tensor>
    ) throws(VoiceError) -> Tensor {
        try requireRows(operation, a, b)
        guard (0..<4).allSatisfy({ a.shape[$0] % b.shape[$0] == 0 }) else {
            throw mismatch(operation, "\(b.shape) does not repeat into \(a.shape)")
        }
        return try make(operation, [a, b]) { body(a.pointer, b.pointer) }
    }
}
