internal import Inference
internal import VoiceCore

/// The parameters of Smart Turn as its graph takes them: the encoder's matrices rounded to 8 bits and packed for our own kernels where
/// these are the quicker ones, all others as F32.
struct SmartTurnWeights {
    private let floats: Weights
    private let packed: PackedWeights

    /// - Parameters:
    ///   - values: all parameters.
    ///   - rounds: false to keep everything as F32.
    init(
        _ values: [SmartTurnParameters.Value],
        rounding rounds: Bool,
        from path: String,
        on device: Device
    ) throws(VoiceError) {
        var matrices: [String: (shape: Shape, elements: [Float])] = [:]
        let rounds = rounds && PackedWeights.areFastForManyColumns(on: device)
        for value in values where rounds && Self.isOfEncoder(value.name) {
            matrices[value.name] = (value.shape, value.elements)
        }
        let packed = try PackedWeights(rounding: matrices, from: path, on: device)
        floats = try Weights(computed: values.filter { packed.matrix($0.name) == nil }, from: path, on: device)
        self.packed = packed
    }

    /// The matrices with all of the work. Those of the head see one column, or are small.
    private static func isOfEncoder(_ name: String) -> Bool { name.hasPrefix("layers.") || name == "stem.1.weight" }

    /// A parameter that is not packed.
    func tensor(_ name: String) throws(VoiceError) -> Tensor { try floats.tensor(name) }

    /// The product of a matrix with x.
    /// - Parameter x: shape [k, m], without gaps.
    func product(_ g: GraphBuilder, _ name: String, _ x: Tensor) throws(VoiceError) -> Tensor {
        if let matrix = packed.matrix(name) { return try g.matmul(matrix, x) }
        return try g.matmul(floats.tensor(name), x)
    }
}
