internal import CKernels
internal import CLlama
package import VoiceCore

/// Q8_0 matrices in the order that our own kernels read them, in the CPU's memory.
///
/// For a few columns ggml's kernels are bound by arithmetic, these by memory: 610 MB times 2 columns take 21 to 29 ms of one
/// core (AMD Zen 4 with AVX-512 VNNI); docs/log.md has what a step took with ggml's. The numbers are the file's, or rounded from computed ones; activations are rounded to 8 bits per block of
/// 32, as ggml does, but keep their scale in F32.
///
/// `@unchecked Sendable`: see ``Weights``.
package final class PackedWeights: @unchecked Sendable {
    private let storage: TensorStorage
    private let matrices: [String: PackedMatrix]

    /// Packs those of some tensors that are Q8_0 matrices, or also others, rounded to that.
    /// - Parameters:
    ///   - file: the model.
    ///   - names: tensors that may be packed; others are left alone.
    ///   - rounds: whether matrices of F32, F16 and BF16 are rounded to Q8_0 and packed as well.
    ///   - device: where they will be used; nothing is packed unless it is a CPU that has the kernels.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is missing, ``VoiceError/Code/exhausted`` when there is
    ///   no room.
    package convenience init(
        _ file: GGUFFile,
        tensors names: [String],
        rounding rounds: Bool = false,
        on device: Device
    ) throws(VoiceError) {
        let types: Set<ElementType> = rounds ? [.q8_0, .f32, .f16, .bf16] : [.q8_0]
        var sources: [String: GGUFTensor] = [:]
        for name in names {
            let tensor = try file.tensor(named: name)
            if types.contains(tensor.type) { sources[name] = tensor }
        }
        try self.init(sources.mapValues(\.shape), from: file.path, on: device) { name throws(VoiceError) in
            guard let source = sources[name] else { return [] }
            return try file.eightBitBlocks(of: source)
        }
    }

    /// Rounds computed matrices to Q8_0 and packs them.
    /// - Parameters:
    ///   - values: shape and elements of each, first dimension fastest; those that are no matrices, or whose rows are not whole blocks of
    ///     32, are left alone.
    ///   - path: the file they come from, for messages.
    ///   - device: where they will be used; nothing is packed unless it is a CPU that has the kernels.
    /// - Throws: ``VoiceError/Code/fault`` when elements do not fill their shape, ``VoiceError/Code/exhausted`` when there is no room.
    package convenience init(
        rounding values: [String: (shape: Shape, elements: [Float])],
        from path: String,
        on device: Device
    ) throws(VoiceError) {
        try self.init(values.mapValues(\.shape), from: path, on: device) { name throws(VoiceError) in
            guard let (shape, elements) = values[name], shape.checkedCount == elements.count else {
                throw VoiceError(.fault, "Tensor '\(name)': its values do not fill its shape.")
            }
            return GGUFFile.stored(elements, rowLength: shape[0], as: .q8_0)
        }
    }

    /// Packs those that can be.
    /// - Parameter blocks: gives the Q8_0 blocks of a matrix; asked for one after the other.
    private init(
        _ shapes: [String: Shape],
        from path: String,
        on device: Device,
        blocks: (String) throws(VoiceError) -> [UInt8]
    ) throws(VoiceError) {
        let isSupported = device.kind == .cpu && ck_best_kind() != Int32(ck_none)
        let sources = shapes.filter { isSupported && $1.rank == 2 && $1[0] % PackedMatrix.block == 0 }
        let storage = try TensorStorage(room: sources.count)
        var matrices: [String: PackedMatrix] = [:]
        for (name, shape) in sources {
            let groups = (shape[1] + PackedMatrix.group - 1) / PackedMatrix.group
            let packed: Shape = [shape[0] / PackedMatrix.block * PackedMatrix.tileBytes, groups]
            let tensor = Tensor(pointer: storage.tensor(name, packed, .i8), owner: storage)
            matrices[name] = PackedMatrix(tensor: tensor, inputs: shape[0], outputs: shape[1])
        }
        try storage.allocate(on: device, usage: GGML_BACKEND_BUFFER_USAGE_WEIGHTS, for: path)
        for (name, matrix) in matrices { Self.pack(try blocks(name), into: matrix) }
        self.storage = storage
        self.matrices = matrices
    }

    /// Whether a product with hundreds of columns is quicker than ggml's in F32, too: with VNNI of AVX-512 (180 G multiply-adds a second on
    /// an AMD Zen 4, where F32 has some 43), not with AVX2 alone (30).
    package static func areFastForManyColumns(on device: Device) -> Bool {
        device.kind == .cpu && ck_best_kind() == Int32(ck_avx512vnni)
    }

    /// A packed matrix; nil when it was not packed.
    package func matrix(_ name: String) -> PackedMatrix? { matrices[name] }

    private static func pack(_ blocks: [UInt8], into matrix: PackedMatrix) {
        // Rows of zeros up to a whole group, which only the last one needs.
        let rowBytes = blocks.count / matrix.outputs
        let rows = blocks + [UInt8](repeating: 0, count: (matrix.paddedOutputs - matrix.outputs) * rowBytes)
        var packed = [UInt8](repeating: 0, count: rows.count)
        // Both have paddedOutputs · inputs / 32 · 34 bytes.
        packed.withUnsafeMutableBytes { target in
            rows.withUnsafeBytes { source in
                ck_pack(Int64(matrix.inputs), Int64(matrix.paddedOutputs), source.baseAddress, target.baseAddress)
            }
        }
        packed.withUnsafeBytes { ggml_backend_tensor_set(matrix.tensor.pointer, $0.baseAddress, 0, $0.count) }
    }
}

/// One matrix of ``PackedWeights``.
package struct PackedMatrix {
    let tensor: Tensor
    /// Elements of a row.
    package let inputs: Int
    /// Rows.
    package let outputs: Int

    static let group = Int(ck_group)
    static let block = Int(ck_block)
    /// Bytes of a group's block: the numbers and the scales.
    static let tileBytes = group * (block + 2)

    /// Whether the rows are whole groups, as ``GraphBuilder/causalConvolution(_:_:)`` wants.
    package var hasWholeGroups: Bool { outputs == paddedOutputs }

    /// Rows, those of zeros at the end included.
    var paddedOutputs: Int { tensor.shape[1] * Self.group }
}
