#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// How many sockets and files this process may have open.
enum DescriptorLimit {
    /// Raises the limit as far as the system lets anybody: shells give 1024, and each conversation is a socket.
    static func raise() {
        var limit = rlimit()
        #if canImport(Darwin)
            let resource = RLIMIT_NOFILE
            // More than this is refused there (setrlimit(2)).
            let most = rlim_t(OPEN_MAX)
        #else
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            let most = rlim_t.max
        #endif
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, most)
        _ = setrlimit(resource, &limit)
    }

    /// Connections that a server should take for so many conversations: pages hold one for the conversation, and need others for the
    /// page itself.
    static func connections(for sessions: Int) -> Int { max(256, 2 * sessions + 64) }
}
