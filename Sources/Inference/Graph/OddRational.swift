/// Odd functions that level off, as x · P(x²) / Q(x²) with x limited to where they have done so.
///
/// The coefficients are our own least-maximum fits: `Reference/TurnDetection/fit_activations.py`.
enum OddRational {
    /// erf(x / √2) = 2 Φ(x) − 1, to within 5e-7.
    @inline(__always)
    static func errorFunction(_ x: SIMD8<Float>) -> SIMD8<Float> {
        let x = limited(x, to: 5.656854)
        let u = x * x
        let p4 = u * 4.363488e-08 + 1.2728728e-05
        let p2 = (p4 * u + 0.00035384556) * u + 0.009451626
        let numerator = (p2 * u + 0.06938246) * u + 0.7978844
        let q4 = u * 1.1711921e-06 + 7.6015385e-05
        let q2 = (q4 * u + 0.0019304734) * u + 0.029118454
        let denominator = (q2 * u + 0.2536236) * u + 1
        return x * numerator / denominator
    }

    /// tanh(x), to within 4e-7.
    @inline(__always)
    static func hyperbolicTangent(_ x: SIMD8<Float>) -> SIMD8<Float> {
        let x = limited(x, to: 8)
        let u = x * x
        let p2 = (u * 1.5061879e-08 + 2.1773321e-05) * u + 0.0035641617
        let numerator = (p2 * u + 0.13438196) * u + 0.99999994
        let q2 = (u * 8.453698e-07 + 0.00033991877) * u + 0.026136037
        let denominator = (q2 * u + 0.46771517) * u + 1
        return x * numerator / denominator
    }

    /// x limited to ±`bound`; not a number stays so.
    @inline(__always)
    private static func limited(_ x: SIMD8<Float>, to bound: Float) -> SIMD8<Float> {
        let upper = SIMD8<Float>(repeating: bound)
        return x.replacing(with: upper, where: x .> upper).replacing(with: -upper, where: x .< -upper)
    }
}
