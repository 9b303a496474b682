internal import Foundation

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// How many threads want a processor at this moment, those of other programs included.
///
/// Linux counts them, running and waiting, in the fourth field of `/proc/loadavg` (proc_loadavg(5)), for the whole machine. One
/// call takes a microsecond.
struct RunnableThreads: Sendable {
    /// Nil where the system does not tell, or where this process may only use some of the machine's processors, so that the
    /// count says nothing about those: macOS, a container with a set of processors.
    static let ofMachine = RunnableThreads(
        counts: "/proc/loadavg",
        online: "/sys/devices/system/cpu/online",
        processors: ProcessInfo.processInfo.activeProcessorCount
    )

    private let file: CInt

    /// - Parameters:
    ///   - counts: a file like `/proc/loadavg`. It stays open.
    ///   - online: a file that lists the machine's processors, for example `0-3,8`.
    ///   - processors: how many this process may use.
    init?(counts: String, online: String, processors: Int) {
        guard let list = try? String(contentsOfFile: online, encoding: .utf8), Self.count(list) == processors else {
            return nil
        }
        let file = open(counts, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        self.file = file
        guard count != nil else {
            close(file)
            return nil
        }
    }

    /// The count, the calling thread included; nil when the file is not as it should be.
    var count: Int? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let length = pread(file, &bytes, bytes.count, 0)
        guard length > 0 else { return nil }
        // 0.20 0.18 0.12 1/80 11206
        let fields = bytes[..<length].split(separator: UInt8(ascii: " "), maxSplits: 4)
        guard fields.count >= 4,
            let runnable = fields[3].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).first
        else { return nil }
        return Int(String(decoding: runnable, as: UTF8.self))
    }

    /// Processors in a list of numbers and ranges; nil when it is none.
    private static func count(_ list: String) -> Int? {
        var count = 0
        for part in list.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            switch (ends.count, ends.first ?? nil, ends.last ?? nil) {
            case (1, .some, _): count += 1
            case (2, .some(let first), .some(let last)) where first <= last: count += last - first + 1
            default: return nil
            }
        }
        return count
    }
}
