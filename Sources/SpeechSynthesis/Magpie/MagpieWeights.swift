internal import Inference
internal import VoiceCore

/// How the matrices of a model are kept in memory.
package enum MagpiePrecision: Sendable {
    /// Rounded to 8 bits for our own kernels, where the CPU has them; else as the file has them. A step reads 113 MB.
    case eightBit
    /// As 32-bit floats, whatever the file has: for comparisons. A step reads 400 MB.
    case single
}

/// The parameters in the form that graphs take them: matrices packed for our own kernels where the CPU has them, all else as
/// the file has it. Every tensor's name, shape and type is checked before ggml sees it.
struct MagpieWeights {
    let h: MagpieHyperparameters
    private let file: Weights
    private let packed: PackedWeights?

    /// Loads the tensors.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is missing, or has another shape or type;
    ///   ``VoiceError/Code/exhausted`` when there is no room.
    init(
        _ source: GGUFFile,
        _ h: MagpieHyperparameters,
        _ precision: MagpiePrecision,
        on device: Device
    ) throws(VoiceError) {
        self.h = h
        let layout = MagpieLayout(h)
        try layout.check(source)
        let matrices = layout.matrices.map(\.name)
        let packed =
            precision == .eightBit
            ? try PackedWeights(source, tensors: matrices, rounding: true, on: device) : nil
        self.packed = packed
        let names = (layout.matrices + layout.tables + layout.vectors).map(\.name)
            .filter { packed?.matrix($0) == nil }
        file = try Weights(source, on: device, tensors: names) { tensor in
            precision == .single && matrices.contains(tensor.name) ? .f32 : nil
        }
    }

    /// A vector or a table by its name in the file.
    func tensor(_ name: String) throws(VoiceError) -> Tensor { try file.tensor(name) }

    /// x multiplied by a matrix of the file.
    func product(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        if let matrix = packed?.matrix(name) { return try g.matmul(matrix, x) }
        return try g.matmul(file.tensor(name), x)
    }

    /// x multiplied by `name.weight`, plus `name.bias`.
    func linear(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        try g.add(product(g, x, "\(name).weight"), tensor("\(name).bias"))
    }

    /// Layer norm without bias.
    func norm(_ g: GraphBuilder, _ x: Tensor, _ name: String) throws(VoiceError) -> Tensor {
        try g.layerNorm(x, weight: tensor("\(name).weight"), epsilon: MagpieHyperparameters.epsilon)
    }

    /// A feed-forward block without norm and residual: two causal convolutions over time with a GELU between them; with one
    /// tap, two linear maps.
    ///
    /// Source: NeMo 3.0.0 `modules/ffn_modules.py` (`PositionwiseConvFF`); tap i of n sees the column n − 1 − i back.
    /// - Parameter x: shape [width, columns], the columns of one sequence where there is more than one tap.
    func feedForward(_ g: GraphBuilder, _ x: Tensor, _ layer: String, taps: Int) throws(VoiceError) -> Tensor {
        let inner = try convolution(g, x, "\(layer).pos_ff.proj.conv.weight", taps: taps)
        return try convolution(g, g.geluTanh(inner), "\(layer).pos_ff.o_net.conv.weight", taps: taps)
    }

    private func convolution(
        _ g: GraphBuilder,
        _ x: Tensor,
        _ name: String,
        taps: Int
    ) throws(VoiceError) -> Tensor {
        let packed = (0..<taps).compactMap { self.packed?.matrix("\(name).k\($0)") }
        if taps > 1, packed.count == taps, packed.allSatisfy(\.hasWholeGroups) {
            return try g.causalConvolution(packed, x)
        }
        var sum = try product(g, x, "\(name).k\(taps - 1)")
        let columns = x.shape[1]
        for tap in 0..<(taps - 1) {
            let back = taps - 1 - tap
            guard back < columns else { continue }
            let earlier = try g.pad(g.slice(x, dimension: 1, 0..<(columns - back)), dimension: 1, before: back)
            sum = try g.add(sum, product(g, earlier, "\(name).k\(tap)"))
        }
        return sum
    }
}
