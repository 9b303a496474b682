internal import CKernels
internal import CLlama
package import VoiceCore

/// Q8_0 matrices in the order that our own kernels read them, in the CPU's memory.
///
/// For a few columns ggml's kernels are bound by arithmetic, these by memory: 610 MB times 2 columns take 21 to 29 ms of one
/// core (AMD Zen 4 with AVX-512 VNNI); docs/log.md has what a step took with ggml's. The numbers are the file's; activations are rounded to 8 bits per block of
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
    package init(
        _ file: GGUFFile,
        tensors names: [String],
        rounding rounds: Bool = false,
        on device: Device
    ) throws(VoiceError) {
        let types: Set<ElementType> = rounds ? [.q8_0, .f32, .f16, .bf16] : [.q8_0]
        var sources: [GGUFTensor] = []
        if device.kind == .cpu, ck_best_kind() != Int32(ck_none) {
            for name in names {
                let tensor = try file.tensor(named: name)
                guard types.contains(tensor.type), tensor.shape.rank == 2 else { continue }
                if tensor.shape[0] % PackedMatrix.block == 0 { sources.append(tensor) }
            }
        }
        let storage = try TensorStorage(room: sources.count)
        var matrices: [String: PackedMatrix] = [:]
        for source in sources {
            let groups = (source.shape[1] + PackedMatrix.group - 1) / PackedMatrix.group
            let shape: Shape = [source.shape[0] / PackedMatrix.block * PackedMatrix.tileBytes, groups]
            let tensor = Tensor(pointer: storage.tensor(source.name, shape, .i8), owner: storage)
            matrices[source.name] = PackedMatrix(tensor: tensor, inputs: source.shape[0], outputs: source.shape[1])
        }
        try storage.allocate(on: device, usage: GGML_BACKEND_BUFFER_USAGE_WEIGHTS, for: file.path)
        for source in sources {
            guard let matrix = matrices[source.name] else { continue }
            try Self.pack(source, of: file, into: matrix)
        }
        self.storage = storage
        self.matrices = matrices
    }

    /// A packed matrix; nil when it was not packed.
    package func matrix(_ name: String) -> PackedMatrix? { matrices[name] }

    private static func pack(
        _ source: GGUFTensor,
        of file: GGUFFile,
        into matrix: PackedMatrix
    ) throws(VoiceError) {
        // Rows of zeros up to a whole group, which only the last one needs.
        var rows = try file.eightBitBlocks(of: source)
        let rowBytes = rows.count / source.shape[1]
        rows += [UInt8](repeating: 0, count: (matrix.paddedOutputs - matrix.outputs) * rowBytes)
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
