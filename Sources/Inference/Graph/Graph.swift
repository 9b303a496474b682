internal import CLlama
internal import Synchronization
package import VoiceCore

/// A computation on one device: built once, run as often as needed, with inputs and outputs of fixed shapes.
///
///     let graph = try Graph(on: stream) { g throws(VoiceError) in
///         let x = try g.input("x", shape: [512])
///         let y = try g.add(g.matmul(weights.tensor("w"), x.tensor), weights.tensor("b"))
///         return (x: x, y: try g.output(g.relu(y), "y"))
///     }
///     try graph.write(samples, to: graph.ports.x)
///     try graph.run()
///     let y = try graph.read(graph.ports.y)
///
/// Not `Sendable`: it belongs to the actor that runs it.
package final class Graph<Ports> {
    /// The inputs and outputs, as the closure that built the graph returned them.
    package let ports: Ports
    private let storage: GraphStorage

    /// Builds a graph and reserves all memory that running it takes.
    /// - Parameters:
    ///   - stream: where it runs.
    ///   - capacity: at most this many operations.
    ///   - build: describes the computation and returns its ports.
    /// - Throws: what `build` throws; ``VoiceError/Code/unavailable`` when the device lacks an operation,
    ///   ``VoiceError/Code/exhausted`` when it has no room.
    package init(
        on stream: ComputeStream,
        capacity: Int = 4096,
        build: (GraphBuilder) throws(VoiceError) -> Ports
    ) throws(VoiceError) {
        let storage = try GraphStorage(stream: stream, capacity: capacity)
        let builder = GraphBuilder(storage: storage)
        ports = try build(builder)
        // ggml computes in this order, what each needs before it.
        let results = builder.earlyEffects + builder.outputs + builder.effects
        try storage.finish(inputs: builder.inputs, results: results)
        self.storage = storage
    }

    /// Operations in the graph.
    package var nodeCount: Int { storage.nodeCount }

    /// Bytes of device memory for the intermediate values, inputs and outputs.
    package var byteCount: Int { storage.byteCount }

    /// Computes the outputs from the inputs. Blocks the calling thread until they are ready.
    /// - Throws: ``VoiceError/Code/fault`` when the device fails.
    package func run() throws(VoiceError) { try storage.run() }

    /// Sets an input, first dimension fastest. It keeps its value until it is written again; before the first time it is
    /// zero. Floats written to an F16 input are rounded.
    /// - Throws: ``VoiceError/Code/fault`` when the count or the type is not the input's.
    package func write(_ values: Span<Float>, to input: GraphInput) throws(VoiceError) {
        try storage.check(input.tensor, count: values.count, types: [.f32, .f16], doing: "write floats to")
        values.withUnsafeBufferPointer { values in
            guard input.tensor.type == .f16 else { return storage.set(input.tensor, UnsafeRawBufferPointer(values)) }
            let halves = values.map { ggml_fp32_to_fp16($0) }
            halves.withUnsafeBytes { storage.set(input.tensor, $0) }
        }
    }

    /// Sets an input, first dimension fastest.
    package func write(_ values: [Float], to input: GraphInput) throws(VoiceError) {
        try write(values.span, to: input)
    }

    /// Sets an input of 32-bit integers, first dimension fastest.
    /// - Throws: ``VoiceError/Code/fault`` also when an index is outside the bound that the input was declared with.
    package func write(indices values: [Int32], to input: GraphInput) throws(VoiceError) {
        try storage.check(input.tensor, count: values.count, types: [.i32], doing: "write integers to")
        if let bound = input.tensor.indexBound, let wrong = values.first(where: { $0 < 0 || Int($0) >= bound }) {
            throw VoiceError(.fault, "The index \(wrong) is outside 0..<\(bound).")
        }
        values.withUnsafeBytes { storage.set(input.tensor, $0) }
    }

    /// Sets where the queries of a ``GraphBuilder/cachedAttention(_:keys:values:spans:heads:)`` look.
    /// - Throws: ``VoiceError/Code/fault`` also when a span reaches outside the caches it was declared for.
    package func write(spans: [CacheSpan], to input: SpanInput) throws(VoiceError) {
        for span in spans {
            for range in [span.shared, span.own] where range.lowerBound < 0 || range.upperBound > input.rows {
                throw VoiceError(.fault, "The span \(range) is outside the cache's \(input.rows) rows.")
            }
            guard !span.own.isEmpty else { throw VoiceError(.fault, "A span has no row for the new position.") }
        }
        switch input.form {
        case .inPlace(let tensor):
            try storage.check(tensor, count: spans.count * 4, types: [.i32], doing: "write spans to")
            var values: [Int32] = []
            values.reserveCapacity(spans.count * 4)
            for span in spans {
                for range in [span.shared, span.own] { values += [Int32(range.lowerBound), Int32(range.count)] }
            }
            values.withUnsafeBytes { storage.set(tensor, $0) }
        case .gathered(let gathered):
            let rows = try gathered.rows(of: spans)
            try write(indices: rows.places, to: gathered.places)
            if let earlier = gathered.earlier { try write(indices: rows.earlier, to: earlier) }
            try write(rows.mask, to: gathered.mask)
        }
    }

    /// Copies an output, first dimension fastest, into `destination`, which has exactly its size.
    /// - Throws: ``VoiceError/Code/fault`` when the count or the type is not the output's.
    package func read(_ output: GraphOutput, into destination: inout MutableSpan<Float>) throws(VoiceError) {
        try storage.check(output.tensor, count: destination.count, types: [.f32], doing: "read floats from")
        destination.withUnsafeMutableBytes { storage.get(output.tensor, $0) }
    }

    /// An output's values, first dimension fastest.
    /// - Throws: ``VoiceError/Code/fault`` when it does not hold 32-bit floats.
    package func read(_ output: GraphOutput) throws(VoiceError) -> [Float] {
        var values = [Float](repeating: 0, count: output.tensor.shape.count)
        var span = values.mutableSpan
        try read(output, into: &span)
        return values
    }

    /// An output's values, first dimension fastest.
    /// - Throws: ``VoiceError/Code/fault`` when it does not hold 32-bit integers.
    package func readIntegers(_ output: GraphOutput) throws(VoiceError) -> [Int32] {
        var values = [Int32](repeating: 0, count: output.tensor.shape.count)
        try storage.check(output.tensor, count: values.count, types: [.i32], doing: "read integers from")
        values.withUnsafeMutableBytes { storage.get(output.tensor, $0) }
        return values
    }
}

/// A tensor that is set from outside before a run.
package struct GraphInput {
    /// The tensor, for the operations that use it.
    package let tensor: Tensor
}

/// A tensor that can be read after a run.
package struct GraphOutput {
    let tensor: Tensor
    /// Elements per dimension.
    package var shape: Shape { tensor.shape }
}

/// ggml's description and memory of a graph; outlives every ``Tensor`` of it.
final class GraphStorage: TensorOwner {
    let stream: ComputeStream
    let capacity: Int
    let context: OpaquePointer
    private let graph: OpaquePointer
    private let allocator: OpaquePointer
    /// Weights that the graph reads.
    private var kept: [TensorOwner] = []

    /// ggml marks every tensor that a new graph reaches, those of shared weights included.
    private static let building = Mutex(())

    init(stream: ComputeStream, capacity: Int) throws(VoiceError) {
        // Each operation has one result and at most a few operands that are weights, which take a place as well.
        let places = 4 * capacity
        let bytes = ggml_tensor_overhead() * (capacity + 8) + ggml_graph_overhead_custom(places, false)
        guard
            let context = ggml_init(ggml_init_params(mem_size: bytes, mem_buffer: nil, no_alloc: true)),
            let graph = ggml_new_graph_custom(context, places, false),
            let allocator = ggml_gallocr_new(stream.device.bufferType)
        else { throw VoiceError(.exhausted, "There is no memory for a graph of \(capacity) operations.") }
        self.stream = stream
        self.capacity = capacity
        self.context = context
        self.graph = graph
        self.allocator = allocator
    }

    deinit {
        ggml_gallocr_free(allocator)
        ggml_free(context)
    }

    var nodeCount: Int { Int(ggml_graph_n_nodes(graph)) }
    var byteCount: Int { ggml_gallocr_get_buffer_size(allocator, 0) }

    func keep(_ owner: TensorOwner) {
        if !kept.contains(where: { $0 === owner }) { kept.append(owner) }
    }

    func finish(inputs: [Tensor], results: [Tensor]) throws(VoiceError) {
        Self.building.withLock { _ in
            for tensor in inputs + results { ggml_build_forward_expand(graph, tensor.pointer) }
        }
        for index in 0..<ggml_graph_n_nodes(graph) {
            guard let node = ggml_graph_node(graph, index) else { continue }
            guard ggml_backend_dev_supports_op(stream.device.handle, node) else {
                let operation = String(cString: ggml_op_desc(node))
                throw VoiceError(.unavailable, "\(stream.device) cannot compute '\(operation)'. Choose the CPU.")
            }
        }
        guard ggml_gallocr_alloc_graph(allocator, graph) else {
            throw VoiceError(.exhausted, "\(stream.device) has no room for a graph of \(nodeCount) operations.")
        }
        for input in inputs { ggml_backend_tensor_memset(input.pointer, 0, 0, ggml_nbytes(input.pointer)) }
    }

    func run() throws(VoiceError) {
        stream.prepare()
        let status = ggml_backend_graph_compute(stream.backend, graph)
        guard status == GGML_STATUS_SUCCESS else {
            throw VoiceError(.fault, "\(stream.device) failed while computing: status \(status.rawValue).")
        }
    }

    /// Guards every copy into or out of a tensor: ggml would end the process.
    func check(_ tensor: Tensor, count: Int, types: Set<ElementType>, doing: String) throws(VoiceError) {
        guard tensor.owner === self else { throw VoiceError(.fault, "Cannot \(doing) a tensor of another graph.") }
        guard types.contains(tensor.type), tensor.shape.count == count else {
            throw VoiceError(.fault, "Cannot \(doing) a tensor of \(tensor): \(count) values given.")
        }
    }

    func set(_ tensor: Tensor, _ bytes: UnsafeRawBufferPointer) {
        ggml_backend_tensor_set(tensor.pointer, bytes.baseAddress, 0, bytes.count)
    }

    func get(_ tensor: Tensor, _ bytes: UnsafeMutableRawBufferPointer) {
        ggml_backend_tensor_get(tensor.pointer, bytes.baseAddress, 0, bytes.count)
    }
}
