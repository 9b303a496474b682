package import Foundation
internal import Synchronization

/// A real redis-server of one test, on a port of loopback, in a folder of its own, without persistence.
package final class RedisServer: Sendable {
    /// Whether redis-server and redis-cli are installed: scripts/bootstrap --tests does it.
    package static let isInstalled = program("redis-server") != nil && program("redis-cli") != nil

    /// The port it listens on.
    package let port: Int
    /// Where its files are.
    package let folder: URL
    private let options: [String]
    private let process = Mutex<Process?>(nil)

    /// A server that cannot be used.
    package struct Failure: Error, CustomStringConvertible {
        /// What happened.
        package var description: String
    }

    /// Runs a server while `body` runs.
    /// - Parameter options: as redis-server takes them.
    package static func run<Result>(
        _ options: (_ folder: URL) throws -> [String] = { _ in [] },
        _ body: (RedisServer) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = RedisServer(port: try await freePort(), folder: folder, options: try options(folder))
        try server.start()
        defer { server.kill() }
        return try await body(server)
    }

    private init(port: Int, folder: URL, options: [String]) {
        self.port = port
        self.folder = folder
        self.options = options
    }

    /// Starts it, empty. Returns once it takes connections.
    package func start() throws {
        let process = Process()
        process.executableURL = Self.program("redis-server")
        process.arguments =
            ["--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", folder.path, "--tcp-backlog", "64"]
            + options
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var log = Data()
        // What it says after this fits the pipe.
        while log.range(of: Data("Ready to accept connections".utf8)) == nil {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Failure(description: String(decoding: log, as: UTF8.self)) }
            log += more
        }
        self.process.withLock { $0 = process }
    }

    /// Ends it at once: all that it knew is lost.
    package func kill() {
        process.withLock { process in
            guard let running = process else { return }
            process = nil
            Foundation.kill(running.processIdentifier, SIGKILL)
            running.waitUntilExit()
        }
    }

    /// Stops it as a machine that hangs: its connections stay, and nothing is answered.
    package func pause() { signal(SIGSTOP) }

    /// Has it go on where it stopped.
    package func resume() { signal(SIGCONT) }

    private func signal(_ number: CInt) {
        process.withLock { process in
            guard let process else { return }
            Foundation.kill(process.processIdentifier, number)
        }
    }

    /// What redis-cli prints for a command, or for commands on its standard input, one a line.
    package func ask(_ arguments: [String], input: String = "") throws -> [String] {
        let process = Process()
        process.executableURL = Self.program("redis-cli")
        process.arguments = ["-p", "\(port)"] + arguments
        let file = folder.appending(path: UUID().uuidString)
        try input.write(to: file, atomically: true, encoding: .utf8)
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast().map(String.init)
    }

    private static func program(_ name: String) -> URL? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin"]
        return folders.map { URL(filePath: "\($0)/\(name)") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}
