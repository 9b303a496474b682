internal import CLlama
internal import VoiceCore

extension GraphBuilder {
    /// An operation of our own on the CPU; every thread of the stream calls it.
    func custom(
        _ operation: String,
        _ type: ElementType,
        _ shape: Shape,
        _ operands: [Tensor],
        _ kernel: @escaping ggml_custom_op_t
    ) throws(VoiceError) -> Tensor {
        guard storage.stream.device.kind == .cpu else {
            throw mismatch(operation, "it is for the CPU, not \(storage.stream.device)")
        }
        return try make(operation, operands) {
            var pointers: [UnsafeMutablePointer<ggml_tensor>?] = operands.map(\.pointer)
            return ggml_custom_4d(
                context,
                ggml_type(type.rawValue),
                Int64(shape[0]),
                Int64(shape[1]),
                Int64(shape[2]),
                Int64(shape[3]),
                &pointers,
                Int32(pointers.count),
                kernel,
                ggmlEveryThread,
                nil
            )
        }
    }
}

/// `GGML_N_TASKS_MAX`: as many tasks as the stream has threads. A macro that Swift does not import.
let ggmlEveryThread: Int32 = -1
