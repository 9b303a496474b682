internal import CLlama
package import VoiceCore

/// Describes a computation, operation by operation.
///
/// Every operation checks shapes and types first and throws ``VoiceError/Code/fault``, saying what did not fit; ggml
/// itself would end the process. Shapes are in ggml's order, first dimension fastest. Values are F32 unless said
/// otherwise. Operands may be weights on the same device and tensors of this graph.
package final class GraphBuilder {
    let storage: GraphStorage
    private(set) var inputs: [Tensor] = []
    private(set) var outputs: [Tensor] = []
    /// Writes into a ``StateArena``; they come after everything that the outputs need.
    private(set) var effects: [Tensor] = []
    /// Writes into a ``StateArena`` that come as soon as their operands are there.
    private(set) var earlyEffects: [Tensor] = []
    /// Columns rounded to 8 bits, by the tensor that they were made of; see ``matmul(_:_:)`` of packed weights.
    var packed: [UnsafeMutablePointer<ggml_tensor>: Tensor] = [:]
    private var used = 0

    init(storage: GraphStorage) {
        self.storage = storage
    }

    var context: OpaquePointer { storage.context }

    /// Declares a tensor that is set from outside.
    /// - Parameters:
    ///   - name: for messages.
    ///   - shape: elements per dimension.
    ///   - type: F32, or F16 for attention masks.
    package func input(_ name: String, shape: Shape, type: ElementType = .f32) throws(VoiceError) -> GraphInput {
        guard type == .f32 || type == .f16 else { throw mismatch("input", "'\(name)' cannot be \(type)") }
        return GraphInput(tensor: try declare(name, shape, type))
    }

    /// Declares a vector of indices that is set from outside.
    /// - Parameters:
    ///   - name: for messages.
    ///   - count: how many indices.
    ///   - bound: each is at least 0 and below this.
    package func indices(_ name: String, count: Int, below bound: Int) throws(VoiceError) -> GraphInput {
        guard bound > 0 else { throw mismatch("indices", "'\(name)' has no possible value below \(bound)") }
        var tensor = try declare(name, [count], .i32)
        tensor.indexBound = bound
        return GraphInput(tensor: tensor)
    }

    /// Declares where the queries of cached attentions look; see ``Graph/write(spans:to:)``.
    /// - Parameters:
    ///   - name: for messages.
    ///   - count: queries.
    ///   - rows: rows of the caches.
    ///   - gathering: how rows are gathered; nil to read them where they lie, which only the CPU can.
    package func spans(
        _ name: String,
        count: Int,
        rows: Int,
        gathering: SpanGathering? = nil
    ) throws(VoiceError) -> SpanInput {
        guard rows > 0, rows <= Int(Int32.max) else { throw mismatch("spans", "'\(name)' cannot have \(rows) rows") }
        guard let gathering else {
            guard storage.stream.device.kind == .cpu else {
                throw mismatch("spans", "only a CPU reads caches where they lie: '\(name)' has to gather")
            }
            return SpanInput(form: .inPlace(try declare(name, [4, count], .i32)), rows: rows)
        }
        return SpanInput(form: .gathered(try gatheredSpans(name, count: count, rows: rows, gathering)), rows: rows)
    }

    /// Marks a result to be read after a run.
    package func output(_ tensor: Tensor, _ name: String) throws(VoiceError) -> GraphOutput {
        // A view would share memory with a value that may be overwritten, and is not contiguous in general.
        let isOwnValue = tensor.owner === storage && tensor.pointer.pointee.view_src == nil
        let isResult = isOwnValue && !inputs.contains { $0.pointer == tensor.pointer }
        let result = isResult ? tensor : try contiguous(tensor)
        ggml_set_name(result.pointer, name)
        ggml_set_output(result.pointer)
        outputs.append(result)
        return GraphOutput(tensor: result)
    }

    private func declare(_ name: String, _ shape: Shape, _ type: ElementType) throws(VoiceError) -> Tensor {
        guard let count = shape.checkedCount, count <= Self.maximumElements else {
            throw mismatch("input", "'\(name)' cannot have shape \(shape)")
        }
        let tensor = try make("input", []) {
            ggml_new_tensor(context, ggml_type(type.rawValue), 4, (0..<4).map { Int64(shape[$0]) })
        }
        ggml_set_name(tensor.pointer, name)
        ggml_set_input(tensor.pointer)
        // An output is never overwritten: so the input keeps its value between runs.
        ggml_set_output(tensor.pointer)
        inputs.append(tensor)
        return tensor
    }

    /// More than any tensor of ours, and far from where sizes in bytes overflow.
    private static let maximumElements = 1 << 40

    // MARK: for the operations

    /// Has a result computed although nobody reads it: after all outputs, or as soon as what it needs is there.
    func addEffect(_ tensor: Tensor, early: Bool = false) {
        if early { earlyEffects.append(tensor) } else { effects.append(tensor) }
    }

    /// Makes one result, after checking that there is room and that the operands belong here.
    func make(
        _ operation: String,
        _ operands: [Tensor],
        _ body: () -> UnsafeMutablePointer<ggml_tensor>
    ) throws(VoiceError) -> Tensor {
        guard used < storage.capacity else {
            throw mismatch(operation, "the graph has more than its \(storage.capacity) operations")
        }
        for operand in operands where operand.owner !== storage && !(operand.owner is TensorStorage) {
            throw mismatch(operation, "an operand belongs to another graph")
        }
        used += 1
        return Tensor(pointer: body(), owner: keep(operands))
    }

    /// The graph's storage, having noted the weights that it must keep alive.
    private func keep(_ operands: [Tensor]) -> GraphStorage {
        for operand in operands where operand.owner !== storage {
            storage.keep(operand.owner)
        }
        return storage
    }

    /// The failure of an operation whose operands do not fit.
    func mismatch(_ operation: String, _ what: String) -> VoiceError {
        VoiceError(.fault, "Graph operation '\(operation)': \(what).")
    }

    /// Checks that a tensor is F32 with the elements of each row next to each other, as the CPU's kernels expect.
    func requireRows(_ operation: String, _ tensors: Tensor...) throws(VoiceError) {
        for tensor in tensors {
            guard tensor.type == .f32 else { throw mismatch(operation, "\(tensor) is not F32") }
            guard tensor.hasContiguousRows else {
                throw mismatch(operation, "\(tensor) is permuted so that its rows are scattered; make it contiguous")
            }
        }
    }

    /// Checks that a tensor is F32 without gaps.
    func requireContiguous(_ operation: String, _ tensor: Tensor) throws(VoiceError) {
        guard tensor.type == .f32 else { throw mismatch(operation, "\(tensor) is not F32") }
        guard tensor.isContiguous else { throw mismatch(operation, "\(tensor) has gaps; make it contiguous") }
    }

    /// Checks a dimension's number.
    func requireDimension(_ operation: String, _ dimension: Int) throws(VoiceError) {
        guard (0..<4).contains(dimension) else { throw mismatch(operation, "there is no dimension \(dimension)") }
    }
}
