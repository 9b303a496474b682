internal import Foundation
internal import Synchronization
internal import VoiceCore

/// A server of an engine in a process of its own, for something to happen to.
final class EngineServer: Sendable {
    /// Its port, the same after every start.
    let port: Int
    private let arguments: [String]
    private let process: Mutex<Process>

    /// Starts one on a free port and waits until it says where it is.
    /// - Parameter arguments: the command and its options, without a port.
    /// - Throws: `unavailable` when it cannot be started, or ends before that.
    static func start(_ arguments: [String]) async throws(VoiceError) -> EngineServer {
        let (process, port) = try await run(arguments, port: 0)
        return EngineServer(port: port, arguments: arguments, process: process)
    }

    private init(port: Int, arguments: [String], process: sending Process) {
        self.port = port
        self.arguments = arguments
        self.process = Mutex(process)
    }

    /// Sends its process a signal.
    func send(_ signal: Int32) { _ = process.withLock { kill($0.processIdentifier, signal) } }

    /// Ends it at once and waits for that.
    func end() {
        process.withLock { process in
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// Starts it again where it was.
    func restart() async throws(VoiceError) {
        end()
        let (fresh, _) = try await Self.run(arguments, port: port)
        process.withLock { $0 = fresh }
    }

    private static func run(_ arguments: [String], port: Int) async throws(VoiceError) -> sending (Process, Int) {
        let process = Process()
        process.executableURL = CheckoutProgram.binary
        process.arguments = arguments + ["--port", "\(port)", "--log-level", "error"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let (pieces, piece) = AsyncStream.makeStream(of: String.self)
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            guard data.isEmpty else { return _ = piece.yield(String(decoding: data, as: UTF8.self)) }
            handle.readabilityHandler = nil
            piece.finish()
        }
        let what = arguments.first ?? ""
        do { try process.run() } catch {
            throw VoiceError(.unavailable, "\(what) cannot be started", cause: error)
        }
        var said = ""
        for await text in pieces {
            said += text
            guard let found = said.firstMatch(of: /http:\/\/[^ ]*:([0-9]+)/), said.contains("\n"),
                let port = Int(found.1)
            else { continue }
            return (process, port)
        }
        throw VoiceError(.unavailable, "\(what) ended before it was ready")
    }
}
