internal import CKernels
internal import CLlama
package import VoiceCore

/// Convolution kernels in the order that our own loops read them, in the CPU's memory: as a file has them, F16 or F32.
///
/// ggml has convolutions over im2col only, with channels far from each other; these need no copy of their windows and run at
/// nine tenths of what the processor can multiply and add (docs/performance.md).
///
/// `@unchecked Sendable`: see ``Weights``.
package final class PackedKernels: @unchecked Sendable {
    private let storage: TensorStorage
    private let kernels: [String: PackedKernel]

    /// Whether a device has the loops.
    package static func areSupported(on device: Device) -> Bool {
        device.kind == .cpu && cc_best_kind() != Int32(cc_none)
    }

    /// Packs kernels.
    /// - Parameters:
    ///   - file: the model.
    ///   - names: tensors of shape [taps, inputs, outputs], F16 or F32.
    ///   - device: a CPU that has the loops.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is missing or of another kind,
    ///   ``VoiceError/Code/exhausted`` when there is no room, ``VoiceError/Code/fault`` for another device.
    package init(_ file: GGUFFile, tensors names: [String], on device: Device) throws(VoiceError) {
        guard Self.areSupported(on: device) else {
            throw VoiceError(.fault, "\(device) has no loops for packed kernels.")
        }
        var sources: [GGUFTensor] = []
        for name in names {
            let source = try file.tensor(named: name, types: [.f16, .f32])
            guard source.shape.rank <= 3 else { throw file.unsuitable("tensor '\(name)' is no convolution's kernel") }
            sources.append(source)
        }
        let storage = try TensorStorage(room: sources.count)
        var kernels: [String: PackedKernel] = [:]
        for source in sources {
            let (taps, inputs, outputs) = (source.shape[0], source.shape[1], source.shape[2])
            let groups = PackedKernel.groups(of: outputs)
            let shape: Shape = [PackedKernel.group, inputs, taps, groups]
            let tensor = Tensor(pointer: storage.tensor(source.name, shape, source.type), owner: storage)
            kernels[source.name] = PackedKernel(tensor: tensor, outputs: outputs)
        }
        try storage.allocate(on: device, usage: GGML_BACKEND_BUFFER_USAGE_WEIGHTS, for: file.path)
        for source in sources {
            guard let kernel = kernels[source.name] else { continue }
            Self.pack(source, of: file, into: kernel)
        }
        self.storage = storage
        self.kernels = kernels
    }

    /// A packed kernel.
    /// - Throws: ``VoiceError/Code/fault`` when it was not packed.
    package func kernel(_ name: String) throws(VoiceError) -> PackedKernel {
        guard let kernel = kernels[name] else { throw VoiceError(.fault, "The kernel '\(name)' was not packed.") }
        return kernel
    }

    private static func pack(_ source: GGUFTensor, of file: GGUFFile, into kernel: PackedKernel) {
        let size = source.type == .f16 ? 2 : 4
        var packed = [UInt8](repeating: 0, count: kernel.tensor.shape.count * size)
        packed.withUnsafeMutableBytes { target in
            file.withBytes(of: source) { bytes in
                // The target has the outputs in whole groups, the source taps · inputs · outputs elements of this size.
                cc_pack(
                    Int64(source.shape[1]),
                    Int64(source.shape[2]),
                    Int64(source.shape[0]),
                    Int64(size),
                    bytes.baseAddress,
                    target.baseAddress
                )
            }
        }
        packed.withUnsafeBytes { ggml_backend_tensor_set(kernel.tensor.pointer, $0.baseAddress, 0, $0.count) }
    }
}

/// One kernel of ``PackedKernels``.
package struct PackedKernel {
    /// Shape [16, inputs, taps, groups].
    let tensor: Tensor
    /// Output channels.
    package let outputs: Int

    /// Output channels in a group.
    package static let group = Int(cc_group)

    /// How many groups so many output channels make.
    package static func groups(of outputs: Int) -> Int { (outputs + group - 1) / group }

    /// Input channels.
    package var inputs: Int { tensor.shape[1] }
    /// Columns that an output sees.
    package var taps: Int { tensor.shape[2] }
}
