internal import Foundation
internal import Synchronization
internal import VoiceCore

/// The agent's server in a process of its own: `repartee serve` of this binary.
final class ServedAgent: Sendable {
    /// Where it listens.
    let host: String
    let port: Int
    private let process: Process

    private init(_ process: Process, host: String, port: Int) {
        self.process = process
        self.host = host
        self.port = port
    }

    /// What it uses now.
    /// - Throws: `unavailable` when it has ended, or the system is not Linux.
    func usage() throws(VoiceError) -> ProcessUsage {
        guard let usage = ProcessUsage(of: process.processIdentifier) else {
            let why = process.isRunning ? "this system does not tell what it uses" : "it has ended"
            throw VoiceError(.unavailable, "the server cannot be measured: \(why)")
        }
        return usage
    }

    /// Serves while `body` runs.
    ///
    /// - Parameter arguments: of `repartee serve`.
    /// - Throws: `unavailable` when it does not start; it has said why.
    static func with<Result: Sendable>(
        _ arguments: [String],
        _ body: @Sendable (ServedAgent) async throws -> Result
    ) async throws -> Result {
        let process = Process()
        process.executableURL = CheckoutProgram.binary
        process.arguments = ["serve", "--port", "0", "--log-level", "error"] + arguments
        let output = Pipe()
        process.standardOutput = output
        let (lines, line) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(16))
        let reader = output.fileHandleForReading
        let rest = Mutex("")
        reader.readabilityHandler = { file in
            let data = file.availableData
            guard !data.isEmpty else {
                file.readabilityHandler = nil
                return line.finish()
            }
            let complete = rest.withLock { rest -> [Substring] in
                rest += String(decoding: data, as: UTF8.self)
                var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
                rest = lines.popLast().map(String.init) ?? ""
                return lines
            }
            for text in complete { line.yield(String(text)) }
        }
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            end.yield($0.terminationStatus)
            end.finish()
        }
        do { try process.run() } catch {
            throw VoiceError(.unavailable, "\(CheckoutProgram.binary.path) cannot be run", cause: error)
        }
        let outcome: Swift.Result<Result, any Error>
        do {
            guard let address = await address(in: lines) else {
                throw VoiceError(.unavailable, "the server ended before it began, as said above")
            }
            outcome = .success(try await body(ServedAgent(process, host: address.host, port: address.port)))
        } catch {
            outcome = .failure(error)
        }
        process.terminate()
        // Not cancelled with the caller: a server that is left behind would measure with the next one.
        for await _ in ends {}
        reader.readabilityHandler = nil
        return try outcome.get()
    }

    /// The address in the first line that has one.
    private static func address(in lines: AsyncStream<String>) async -> (host: String, port: Int)? {
        for await line in lines {
            for word in line.split(separator: " ") {
                guard let url = URL(string: String(word)), url.scheme == "http", let host = url.host,
                    let port = url.port
                else { continue }
                return (host, port)
            }
        }
        return nil
    }
}
