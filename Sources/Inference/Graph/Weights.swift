internal import CLlama
package import VoiceCore

/// A model's parameters in the memory of one device, loaded once and read by any number of graphs.
///
/// `@unchecked Sendable`: after `init` nothing writes to the tensors or their descriptions. The one thing that does, the
/// building of a graph, which sets a flag in each tensor it meets, takes a process-wide lock (``Graph``).
package final class Weights: @unchecked Sendable {
    /// The file they come from.
    package let path: String
    /// Where they are.
    package let device: Device
    /// Bytes of device memory that they take.
    package let byteCount: Int

    private let storage: TensorStorage
    private let tensors: [String: Tensor]

    /// Loads tensors of a file.
    /// - Parameters:
    ///   - file: the model.
    ///   - device: where the tensors shall live.
    ///   - names: the tensors to load; nil loads all of them.
    ///   - storing: how a tensor shall be stored; nil leaves it as it is. Anything can become F32, F16, BF16 or Q8_0.
    /// - Throws: ``VoiceError/Code/malformedInput`` when a tensor is missing or cannot be stored as wanted,
    ///   ``VoiceError/Code/exhausted`` when the device has no room.
    package init(
        _ file: GGUFFile,
        on device: Device,
        tensors names: [String]? = nil,
        storing: (GGUFTensor) -> ElementType? = { _ in nil }
    ) throws(VoiceError) {
        EngineLog.install()
        var sources = file.tensors
        if let names {
            sources = []
            for name in names { sources.append(try file.tensor(named: name)) }
        }
        var wanted: [(source: GGUFTensor, type: ElementType)] = []
        for source in sources {
            wanted.append((source, try Self.storedType(of: source, as: storing(source), in: file)))
        }
        let storage = try TensorStorage(room: wanted.count)
        var tensors: [String: Tensor] = [:]
        for (source, type) in wanted {
            tensors[source.name] = Tensor(pointer: storage.tensor(source.name, source.shape, type), owner: storage)
        }
        try storage.allocate(on: device, usage: GGML_BACKEND_BUFFER_USAGE_WEIGHTS, for: file.path)
        for (source, type) in wanted {
            guard let tensor = tensors[source.name] else { continue }
            try file.upload(source, to: tensor.pointer, as: type)
        }
        path = file.path
        self.device = device
        self.storage = storage
        self.tensors = tensors
        byteCount = storage.byteCount
    }

    /// Takes tensors that were computed from those of a file: dequantised, reordered, folded into each other.
    /// - Parameters:
    ///   - values: name, shape and elements of each, first dimension fastest. Names differ.
    ///   - path: the file they come from, for messages.
    ///   - device: where the tensors shall live, as F32.
    /// - Throws: ``VoiceError/Code/fault`` when elements do not fill their shape, ``VoiceError/Code/exhausted`` when the
    ///   device has no room.
    package init(
        computed values: [(name: String, shape: Shape, elements: [Float])],
        from path: String,
        on device: Device
    ) throws(VoiceError) {
        EngineLog.install()
        let storage = try TensorStorage(room: values.count)
        var tensors: [String: Tensor] = [:]
        for value in values {
            guard value.shape.checkedCount == value.elements.count else {
                throw VoiceError(.fault, "Tensor '\(value.name)': \(value.elements.count) values for \(value.shape).")
            }
            let tensor = Tensor(pointer: storage.tensor(value.name, value.shape, .f32), owner: storage)
            guard tensors.updateValue(tensor, forKey: value.name) == nil else {
                throw VoiceError(.fault, "Two computed tensors are called '\(value.name)'.")
            }
        }
        try storage.allocate(on: device, usage: GGML_BACKEND_BUFFER_USAGE_WEIGHTS, for: path)
        for value in values {
            guard let tensor = tensors[value.name] else { continue }
            // As many bytes as the tensor has: checked above.
            value.elements.withUnsafeBytes { ggml_backend_tensor_set(tensor.pointer, $0.baseAddress, 0, $0.count) }
        }
        self.path = path
        self.device = device
        self.storage = storage
        self.tensors = tensors
        byteCount = storage.byteCount
    }

    /// A tensor, to be used in a graph.
    /// - Parameter shape: the shape it must have; nil accepts any.
    /// - Throws: ``VoiceError/Code/malformedInput`` when it was not loaded or has another shape.
    package func tensor(_ name: String, shape: Shape? = nil) throws(VoiceError) -> Tensor {
        guard let tensor = tensors[name] else {
            throw VoiceError(.malformedInput, "\(path) has no tensor '\(name)'. Choose another model file.")
        }
        if let shape, tensor.shape != shape {
            throw VoiceError(
                .malformedInput,
                "\(path): tensor '\(name)' has shape \(tensor.shape), not \(shape). Choose another model file."
            )
        }
        return tensor
    }

    /// Whether a tensor of this name was loaded.
    package func has(_ name: String) -> Bool { tensors[name] != nil }

    private static let targets: Set<ElementType> = [.f32, .f16, .bf16, .q8_0]

    private static func storedType(
        of source: GGUFTensor,
        as wanted: ElementType?,
        in file: GGUFFile
    ) throws(VoiceError) -> ElementType {
        guard let wanted, wanted != source.type else { return source.type }
        guard targets.contains(wanted), source.shape[0] % wanted.blockSize == 0, source.type.isConvertible else {
            throw file.unsuitable("tensor '\(source.name)' \(source.shape) of \(source.type) cannot become \(wanted)")
        }
        return wanted
    }
}
