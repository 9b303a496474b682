internal import CLlama
package import VoiceCore

/// What streams keep between steps, in the memory of one device: matrices whose rows are divided evenly among slots.
///
/// A stream owns one slot; a graph reads and writes rows of any slots in the same run (``GraphBuilder/rows(of:at:)``,
/// ``GraphBuilder/store(_:into:at:)``), so streams step together. What a slot holds is undefined until it was cleared.
/// Memory that no slot has used yet is not touched.
///
/// Not `Sendable`: it belongs to the actor that runs the graphs.
package final class StateArena {
    /// One matrix.
    package struct Matrix: Sendable {
        /// Its name.
        package var name: String
        /// Elements of a row.
        package var rowLength: Int
        /// Rows that each slot has.
        package var rowsPerSlot: Int
        /// F32 or F16.
        package var type: ElementType

        /// Describes a matrix.
        package init(_ name: String, rowLength: Int, rowsPerSlot: Int = 1, type: ElementType = .f32) {
            self.name = name
            self.rowLength = rowLength
            self.rowsPerSlot = rowsPerSlot
            self.type = type
        }
    }

    /// How many slots there are.
    package let slots: Int

    private let storage: TensorStorage
    private let tensors: [String: Tensor]
    /// Views of each slot's rows, one per matrix.
    private let views: [[UnsafeMutablePointer<ggml_tensor>]]

    /// Reserves the memory.
    /// - Throws: ``VoiceError/Code/exhausted`` when the device has no room, ``VoiceError/Code/fault`` for matrices without
    ///   elements or two of one name.
    package init(_ matrices: [Matrix], slots: Int, on device: Device) throws(VoiceError) {
        EngineLog.install()
        guard slots > 0 else { throw VoiceError(.fault, "An arena has at least one slot.") }
        let storage = try TensorStorage(room: matrices.count * (slots + 1))
        var tensors: [String: Tensor] = [:]
        for matrix in matrices {
            let shape: Shape = [matrix.rowLength, matrix.rowsPerSlot * slots]
            guard shape.checkedCount != nil, matrix.type == .f32 || matrix.type == .f16 else {
                throw VoiceError(.fault, "The state '\(matrix.name)' cannot be \(matrix.type) \(shape).")
            }
            let tensor = Tensor(pointer: storage.tensor(matrix.name, shape, matrix.type), owner: storage)
            guard tensors.updateValue(tensor, forKey: matrix.name) == nil else {
                throw VoiceError(.fault, "Two states are called '\(matrix.name)'.")
            }
        }
        try storage.allocate(on: device, usage: GGML_BACKEND_BUFFER_USAGE_ANY, for: "\(slots) streams")
        views = (0..<slots).map { slot in
            matrices.compactMap { matrix in
                tensors[matrix.name].map {
                    storage.rows(of: $0.pointer, from: slot * matrix.rowsPerSlot, count: matrix.rowsPerSlot)
                }
            }
        }
        self.slots = slots
        self.storage = storage
        self.tensors = tensors
    }

    /// A matrix, for ``GraphBuilder/rows(of:at:)`` and ``GraphBuilder/store(_:into:at:)``: shape
    /// [row length, rows per slot · slots], a slot's rows next to each other.
    /// - Throws: ``VoiceError/Code/fault`` when there is none of this name.
    package func matrix(_ name: String) throws(VoiceError) -> Tensor {
        guard let tensor = tensors[name] else { throw VoiceError(.fault, "There is no state '\(name)'.") }
        return tensor
    }

    /// Fills a slot with zeros.
    package func clear(_ slot: Int) {
        for view in views[slot] { ggml_backend_tensor_memset(view, 0, 0, ggml_nbytes(view)) }
    }

    /// Makes one slot equal to another, bit by bit.
    package func copy(_ source: Int, to target: Int) {
        for (from, to) in zip(views[source], views[target]) { ggml_backend_tensor_copy(from, to) }
    }
}
