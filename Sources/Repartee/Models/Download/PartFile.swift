#if canImport(CoreFoundation)
    // Where the compiler finds the members of `stat`, once a package underneath has loaded it.
    internal import CoreFoundation
#endif
internal import Foundation
internal import NIOCore
internal import VoiceCore

/// The beginning of a file that is being fetched: `<file>.part`, locked against another process.
///
/// Whatever ends the process leaves the part as it is, and the next one continues it.
final class PartFile {
    /// Where the part lies.
    let path: String
    /// The bytes that are there.
    private(set) var length: Int
    private let target: String
    private let descriptor: Int32

    /// Opens and locks the part of `target`, and makes its folder and an empty part if there is none.
    /// - Throws: ``VoiceError/Code/unavailable`` when another process has it, or the folder cannot be written.
    init(of target: String) throws(VoiceError) {
        self.target = target
        path = target + ".part"
        let folder = (target as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw VoiceError(.unavailable, "the folder \(folder) cannot be made", cause: error)
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("\(path) cannot be written") }
        var opened = stat()
        var named = stat()
        // The process that had the lock may have renamed the file between our `open` and our `flock`.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &opened) == 0, stat(path, &named) == 0,
            opened.st_ino == named.st_ino
        else {
            close(descriptor)
            throw VoiceError(.unavailable, "another process is fetching \(target): wait until it is done")
        }
        length = Int(opened.st_size)
    }

    deinit {
        // An empty part is nothing to continue. Removed before the lock goes with the descriptor.
        if length == 0 { unlink(path) }
        close(descriptor)
    }

    /// Adds bytes to the end. Blocks until the system has them.
    func append(_ bytes: ByteBuffer) throws(VoiceError) {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(length)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("\(path) cannot be written") }
            rest.moveReaderIndex(forwardBy: count)
            length += count
        }
    }

    /// Throws away what is there.
    func empty() throws(VoiceError) {
        guard ftruncate(descriptor, 0) == 0 else { throw Self.failure("\(path) cannot be emptied") }
        length = 0
    }

    /// Gives the part its final name, once it is safe on the disk: the file is there complete or not at all.
    func commit() throws(VoiceError) {
        guard fsync(descriptor) == 0, rename(path, target) == 0 else {
            throw Self.failure("\(path) cannot be renamed to \(target)")
        }
        // The new name is safe once the folder is.
        let folder = open((target as NSString).deletingLastPathComponent, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private static func failure(_ what: String) -> VoiceError {
        VoiceError(.unavailable, "\(what): \(String(cString: strerror(errno))); free space or correct the permissions")
    }
}
