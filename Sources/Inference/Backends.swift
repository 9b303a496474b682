internal import CLlama

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// ggml's backends where they are libraries of their own.
///
/// What `scripts/build-llama` makes for the processor that it runs on has its backends linked, and nothing is done here. With
/// `--portable` there is a CPU backend for each kind of processor beside libllama, and perhaps one for CUDA: ggml takes the best
/// for this processor, and CUDA's where the driver is there.
enum Backends {
    /// Loads them. ggml's own list of places is not asked, because the current folder is one of them.
    static func load() {
        guard ggml_backend_reg_count() == 0, let folder else { return }
        ggml_backend_load_all_from_path(folder)
    }

    /// Where libllama lies.
    private static var folder: String? {
        var info = Dl_info()
        guard let program = dlopen(nil, RTLD_NOW), let symbol = dlsym(program, "llama_backend_init"),
            dladdr(symbol, &info) != 0, let file = info.dli_fname
        else { return nil }
        let path = String(cString: file)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}
