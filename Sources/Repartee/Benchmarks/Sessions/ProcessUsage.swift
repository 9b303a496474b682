internal import Foundation
internal import VoiceCore

/// What a process of this machine uses at a moment, as Linux tells it.
struct ProcessUsage: Sendable, Equatable {
    /// Processor time so far, all threads, user and system.
    var processor: Duration
    /// Resident memory, in MB of 10^6 bytes.
    var megabytes: Double
    var threads: Int
    /// Open files and sockets.
    var descriptors: Int
}

extension ProcessUsage {
    /// Looks at a process; nil where there is none, or the system does not say.
    init?(of process: Int32) {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd"),
            let usage = ProcessUsage(stat: status, descriptors: files.count)
        else { return nil }
        self = usage
    }

    /// Reads a line of `/proc/PID/stat` (proc_pid_stat(5)): after the name in parentheses the third field and all that follow.
    init?(stat line: String, descriptors: Int) {
        let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 21, let user = Int64(fields[11]), let system = Int64(fields[12]),
            let threads = Int(fields[17]),
            let pages = Double(fields[21])
        else { return nil }
        processor = .seconds(1) * (user + system) / Int64(sysconf(Int32(_SC_CLK_TCK)))
        megabytes = (pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e5).rounded() / 10
        self.threads = threads
        self.descriptors = descriptors
    }

    /// Processor time that all programs of this machine have used; nil where the system does not say.
    static var ofMachine: Duration? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let line = text.split(separator: "\n").first
        else { return nil }
        // proc_stat(5): user, nice, system, idle, iowait, irq, softirq.
        let ticks = line.split(separator: " ").dropFirst().compactMap { Int64($0) }
        guard ticks.count > 6 else { return nil }
        return .seconds(1) * (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / Int64(sysconf(Int32(_SC_CLK_TCK)))
    }
}
