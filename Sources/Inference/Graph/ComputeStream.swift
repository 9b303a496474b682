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
    private let pool: ThreadPool?

    /// Opens a stream.
    /// - Parameters:
    ///   - device: where to run.
    ///   - threads: CPU threads for one graph at most; fewer while other engines or programs compute. Small graphs (below a
    ///     millisecond) are fastest with 1: a second thread costs about 0.4 µs per node in waiting (measured with ggml 0.25.3).
    /// - Throws: ``VoiceError/Code/unavailable`` when the device cannot be opened, ``VoiceError/Code/exhausted`` when no threads
    ///   can be started.
    package init(on device: Device, threads: Int = 1) throws(VoiceError) {
        EngineLog.install()
        let pool = device.kind == .cpu ? try ThreadPool(threads: threads) : nil
        guard let backend = ggml_backend_dev_init(device.handle, nil) else {
            throw VoiceError(.unavailable, "The device \(device) cannot be opened. See `repartee doctor`.")
        }
        self.device = device
        self.threads = pool?.threads ?? 1
        self.backend = backend
        self.pool = pool
        pool?.serve(backend)
    }

    /// To be called before a graph is computed: looks how many threads there are processors for.
    func prepare() { pool?.share(backend) }

    // The pool goes after the backend: stored properties outlive the body.
    deinit { ggml_backend_free(backend) }
}
