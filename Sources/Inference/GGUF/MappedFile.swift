internal import VoiceCore

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// A regular file mapped into memory, read-only.
///
/// `@unchecked Sendable`: the address and length never change after `init`, the pages are mapped without write access,
/// and nobody but `deinit` unmaps them.
final class MappedFile: @unchecked Sendable {
    /// The file's bytes; valid as long as this object lives.
    private let bytes: UnsafeRawBufferPointer

    /// The path it was opened by.
    let path: String

    /// The file's size in bytes.
    var count: Int { bytes.count }

    /// Maps a file.
    /// - Throws: ``VoiceError/Code/missingInput`` when it is absent, unreadable or not a regular file, and
    ///   ``VoiceError/Code/malformedInput`` when it is empty.
    init(path: String) throws(VoiceError) {
        // O_NONBLOCK: opening a pipe must not wait for a writer.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw VoiceError(.missingInput, "\(path): \(reason). Check the path, or fetch the models again.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw VoiceError(.missingInput, "\(path) is not a regular file. Name a model file.")
        }
        guard status.st_size > 0 else {
            throw VoiceError(.malformedInput, "\(path) is empty (0 bytes). Fetch it again.")
        }
        let size = Int(status.st_size)
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            let reason = String(cString: strerror(errno))
            throw VoiceError(.missingInput, "\(path) cannot be mapped into memory: \(reason).")
        }
        self.path = path
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }

    /// Calls `body` with all bytes.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }
}
