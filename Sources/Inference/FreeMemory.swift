#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Memory that nobody uses and the allocator keeps: after many replies that were made at the same time, some megabytes for each.
package enum FreeMemory {
    /// Gives it back to the system. Takes up to some milliseconds in which threads that want memory wait, so it is to be called when
    /// nobody speaks. Does nothing where the allocator does not know how.
    package static func giveBack() {
        #if canImport(Darwin)
            malloc_zone_pressure_relief(nil, 0)
        #else
            // malloc_trim(3), glibc's; its header is not part of Swift's module.
            typealias Trim = @convention(c) (Int) -> CInt
            guard let program = dlopen(nil, RTLD_NOW), let symbol = dlsym(program, "malloc_trim") else { return }
            _ = unsafeBitCast(symbol, to: Trim.self)(0)
        #endif
    }
}
