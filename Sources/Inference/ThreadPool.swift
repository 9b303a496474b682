internal import CLlama
internal import VoiceCore

/// Threads of ggml's CPU backend, which sleep between graphs: the cores are shared with the other engines.
///
/// The backend may be a library that was loaded at run time (``Backends``), so its functions are asked of it.
///
/// Not `Sendable`: it belongs to the actor whose work they do.
final class ThreadPool {
    let pointer: OpaquePointer
    /// Threads that work at a time, the caller's included.
    let threads: Int
    /// The same, but no more than there are processors without other engines' and programs' work.
    var threadsNow: Int { threads > 1 ? min(threads, EngineExecutor.freeProcessors) : 1 }
    private let functions: Functions

    /// Starts threads.
    /// - Parameter threads: how many work at a time, the caller's included.
    /// - Throws: ``VoiceError/Code/exhausted`` when they cannot be started.
    init(threads: Int) throws(VoiceError) {
        self.threads = max(1, min(threads, Int(GGML_MAX_N_THREADS)))
        functions = try Functions()
        var parameters = ggml_threadpool_params_default(Int32(self.threads))
        parameters.poll = 0
        guard let pointer = functions.make(&parameters) else {
            throw VoiceError(.exhausted, "No \(threads) threads can be started.")
        }
        self.pointer = pointer
    }

    deinit { functions.free(pointer) }

    /// Has a CPU backend compute with these threads. The backend has to go first.
    func serve(_ backend: OpaquePointer) {
        functions.setCount(backend, Int32(threads))
        functions.setPool(backend, pointer)
    }

    /// Has a backend that this pool serves compute its next graph with ``threadsNow``.
    func share(_ backend: OpaquePointer) {
        functions.setCount(backend, Int32(threadsNow))
    }

    /// What the CPU backend offers by name (`ggml_backend_cpu_get_proc_address` of ggml 0.25.3).
    private struct Functions {
        typealias Make = @convention(c) (UnsafeMutablePointer<ggml_threadpool_params>?) -> OpaquePointer?
        typealias Free = @convention(c) (OpaquePointer?) -> Void
        typealias SetCount = @convention(c) (OpaquePointer?, Int32) -> Void
        typealias SetPool = @convention(c) (OpaquePointer?, OpaquePointer?) -> Void

        let make: Make
        let free: Free
        let setCount: SetCount
        let setPool: SetPool

        init() throws(VoiceError) {
            let processor = ggml_backend_dev_backend_reg(try Device.cpu().handle)
            func address(_ name: String) throws(VoiceError) -> UnsafeMutableRawPointer {
                guard let address = ggml_backend_reg_get_proc_address(processor, name) else {
                    throw VoiceError(.fault, "ggml's CPU backend has no \(name): it is another version than ours.")
                }
                return address
            }
            // The types are those of ggml-cpu.h, whose functions these are.
            make = unsafeBitCast(try address("ggml_threadpool_new"), to: Make.self)
            free = unsafeBitCast(try address("ggml_threadpool_free"), to: Free.self)
            setCount = unsafeBitCast(try address("ggml_backend_set_n_threads"), to: SetCount.self)
            setPool = unsafeBitCast(try address("ggml_backend_cpu_set_threadpool"), to: SetPool.self)
        }
    }
}
