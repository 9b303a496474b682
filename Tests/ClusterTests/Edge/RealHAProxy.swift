internal import Foundation
internal import Synchronization
internal import Testing
internal import VoiceCore
internal import VoiceTesting

@testable internal import Cluster

/// The system's HAProxy with the file of Deploy/haproxy, all its addresses Unix sockets in a folder of its own.
final class RealHAProxy: Sendable {
    /// The program; nil where it is not installed.
    static let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/opt/homebrew/bin/haproxy"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let folder: String
    private let running = Mutex<Process?>(nil)
    var socket: String { folder + "/admin.sock" }
    var state: String { folder + "/state" }

    /// Makes the folder; nothing runs yet.
    init() throws {
        // A socket's path has to be short.
        folder = FileManager.default.temporaryDirectory.path + "/edge-\(UInt32.random(in: .min ... .max))"
        try EdgeFolder(path: folder + "/state").prepare()
    }

    deinit {
        running.withLock { $0?.terminate() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts it, and waits until it answers.
    func start() async throws {
        let process = try process([])
        try process.run()
        running.withLock { $0 = process }
        try await eventually("HAProxy answers") { await answering() != nil }
    }

    /// The status with which it ends when it only looks at its file.
    func check() throws -> Int32 {
        let process = try process(["-c"])
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func process(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.program))
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        process.arguments =
            ["-q", "-W", "-f", tests + "/../../../Deploy/haproxy/haproxy.cfg"] + arguments
        process.environment = [
            "REPARTEE_EDGE_HTTP": folder + "/http.sock", "REPARTEE_EDGE_METRICS": folder + "/metrics.sock",
            "REPARTEE_EDGE_SOCKET": socket, "REPARTEE_EDGE_STATE": state,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }

    /// Lets a new process take over, and waits until it has.
    func reload() async throws {
        let before = try #require(await answering())
        let pid = try #require(running.withLock { $0?.processIdentifier })
        // The process that answers is a child: the one that reloads may hear signals only a moment later.
        var next = ContinuousClock.now
        try await eventually("another process answers") {
            let now = await answering()
            if now == before, ContinuousClock.now >= next {
                kill(pid, SIGUSR2)
                next = ContinuousClock.now + .seconds(2)
            }
            return now != nil && now != before
        }
    }

    /// The process that answers commands; nil while none does.
    private func answering() async -> String? {
        let answer = try? await RuntimeSocket(path: socket).ask("show info")
        return answer?.split(separator: "\n").first { $0.hasPrefix("Pid:") }.map(String.init)
    }
}
