internal import CLlama
package import VoiceCore

/// A queue of work on one device, with its own threads where the device is the CPU. Graphs built on one stream run one
/// after the other; graphs on different streams may run at the same time.
///
/// Not `Sendable`: it belongs to the actor that runs its graphs.
package final class ComputeStream {
    /// The device that does the work.
    package let device: Device
    /// Threads that work on one graph, the caller's included; 1 unless the device is the CPU.
    package let threads: Int

    let backend: OpaquePointer
    private let pool: OpaquePointer?

    /// Opens a stream.
    /// - Parameters:
    ///   - device: where to run.
    ///   - threads: CPU threads for one graph. Small graphs (below a millisecond) are fastest with 1: a second thread
    ///     costs about 0.4 µs per node in waiting (measured with ggml 0.25.3).
    /// - Throws: ``VoiceError/Code/unavailable`` when the device cannot be opened.
    package init(on device: Device, threads: Int = 1) throws(VoiceError) {
        EngineLog.install()
        guard let backend = ggml_backend_dev_init(device.handle, nil) else {
            throw VoiceError(.unavailable, "The device \(device) cannot be opened. See `repartee doctor`.")
        }
        self.device = device
        self.backend = backend
        guard device.kind == .cpu else {
            self.threads = 1
            pool = nil
            return
        }
        self.threads = max(1, min(threads, Int(GGML_MAX_N_THREADS)))
        var parameters = ggml_threadpool_params_default(Int32(self.threads))
        // Sleep rather than spin between graphs: the cores are shared with the other engines.
        parameters.poll = 0
        pool = ggml_threadpool_new(&parameters)
        ggml_backend_cpu_set_n_threads(backend, Int32(self.threads))
        ggml_backend_cpu_set_threadpool(backend, pool)
    }

    deinit {
        ggml_backend_free(backend)
        if let pool { ggml_threadpool_free(pool) }
    }
}
