internal import Conversation
internal import Foundation

/// What a benchmark prints with `--json`: one object, the same frame for all.
struct BenchmarkReport<Settings: Encodable, Row: Encodable>: Encodable {
    var name: String
    var machine = Machine.current
    var commit = Machine.commit
    var settings: Settings
    var results: [Row]
}

/// The machine that was measured.
struct Machine: Encodable {
    var cpu: String
    var cores: Int
    var memory_mb: Int
    var os: String

    /// This machine.
    static var current: Machine {
        let info = ProcessInfo.processInfo
        return Machine(
            cpu: cpuName() ?? "unknown CPU",
            cores: info.processorCount,
            memory_mb: Int(info.physicalMemory / 1_048_576),
            os: info.operatingSystemVersionString
        )
    }

    /// The commit of the checkout this binary lies in, or "unknown".
    static var commit: String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        process.arguments = ["git", "-C", folder.path, "rev-parse", "--short=12", "HEAD"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return "unknown" }
        let data = try? output.fileHandleForReading.readToEnd()
        process.waitUntilExit()
        let text =
            data.map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
        return process.terminationStatus == 0 && !text.isEmpty ? text : "unknown"
    }

    private static func cpuName() -> String? {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// Memory of this process that is resident, in MB of 10^6 bytes; nil where the system does not say.
    static var residentMegabytes: Double? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
        else { return nil }
        return (pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1e5).rounded() / 10
    }

    /// Processor time of this process so far, all threads, user and system.
    static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// Order statistics of a latency in milliseconds.
struct LatencyFigures: Codable {
    var n: Int
    var min: Double
    var p50: Double
    var p90: Double
    var p99: Double
    var max: Double

    /// Summarises values.
    init(_ values: [Double]) {
        let sorted = values.sorted()
        n = sorted.count
        min = sorted.first ?? 0
        p50 = ConversationReport.Spread.percentile(0.5, of: sorted)
        p90 = ConversationReport.Spread.percentile(0.9, of: sorted)
        p99 = ConversationReport.Spread.percentile(0.99, of: sorted)
        max = sorted.last ?? 0
    }

    /// `min / p50 / p90 / max`, in columns.
    var columns: String {
        [min, p50, p90, max].map { value in
            let text = String((value * 100).rounded() / 100)
            return String(repeating: " ", count: Swift.max(0, 10 - text.count)) + text
        }.joined()
    }

    /// The heading of ``columns``.
    static let heading = ["min", "p50", "p90", "max"].map { String(repeating: " ", count: 10 - $0.count) + $0 }.joined()
}
