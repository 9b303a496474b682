internal import CLlama
internal import VoiceCore

#if canImport(Glibc)
    internal import Glibc
#endif

/// ggml's descriptions and memory of tensors that outlive a graph: weights and state.
final class TensorStorage: TensorOwner {
    private let context: OpaquePointer
    private var buffer: OpaquePointer?

    /// Makes room for the descriptions of `room` tensors, views included.
    init(room: Int) throws(VoiceError) {
        let bytes = ggml_tensor_overhead() * (room + 1)
        guard let context = ggml_init(ggml_init_params(mem_size: bytes, mem_buffer: nil, no_alloc: true)) else {
            throw VoiceError(.exhausted, "There is no memory for the descriptions of \(room) tensors.")
        }
        self.context = context
    }

    deinit {
        if let buffer { ggml_backend_buffer_free(buffer) }
        ggml_free(context)
    }

    var byteCount: Int { buffer.map(ggml_backend_buffer_get_size) ?? 0 }

    func tensor(_ name: String, _ shape: Shape, _ type: ElementType) -> UnsafeMutablePointer<ggml_tensor> {
        let dimensions = (0..<4).map { Int64(shape[$0]) }
        // Never nil: the context has room for every tensor, and shapes are checked before.
        let pointer: UnsafeMutablePointer<ggml_tensor> = ggml_new_tensor(
            context,
            ggml_type(type.rawValue),
            4,
            dimensions
        )
        ggml_set_name(pointer, name)
        return pointer
    }

    /// Elements `offset ..< offset + count` of dimension 1 of a matrix that has been allocated.
    func rows(
        of matrix: UnsafeMutablePointer<ggml_tensor>,
        from offset: Int,
        count: Int
    ) -> UnsafeMutablePointer<ggml_tensor> {
        let stride = matrix.pointee.nb.1
        let view: UnsafeMutablePointer<ggml_tensor> = ggml_view_2d(
            context,
            matrix,
            matrix.pointee.ne.0,
            Int64(count),
            stride,
            offset * stride
        )
        ggml_backend_view_init(view)
        return view
    }

    func allocate(on device: Device, usage: ggml_backend_buffer_usage, for what: String) throws(VoiceError) {
        guard ggml_get_first_tensor(context) != nil else { return }
        buffer = ggml_backend_alloc_ctx_tensors_from_buft(context, device.bufferType)
        guard let buffer else {
            throw VoiceError(.exhausted, "\(device) has no room for the tensors of \(what).")
        }
        ggml_backend_buffer_set_usage(buffer, usage)
        if usage == GGML_BACKEND_BUFFER_USAGE_WEIGHTS { askForLargePages(buffer) }
    }

    /// Weights are read from end to end in every step; with pages of 2 MB the processor prefetches across what would be
    /// borders of 4 KB. A request that the kernel may ignore; nothing has been written yet.
    private func askForLargePages(_ buffer: OpaquePointer) {
        #if os(Linux)
            guard ggml_backend_buffer_is_host(buffer), let base = ggml_backend_buffer_get_base(buffer) else { return }
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let start = (Int(bitPattern: base) + page - 1) / page * page
            let length = Int(bitPattern: base) + ggml_backend_buffer_get_size(buffer) - start
            guard length > 0 else { return }
            _ = madvise(UnsafeMutableRawPointer(bitPattern: start), length, MADV_HUGEPAGE)
        #endif
    }
}
