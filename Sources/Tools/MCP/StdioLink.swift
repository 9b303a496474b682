internal import Logging
internal import NIOCore
internal import Synchronization
internal import VoiceCore

/// The way to a program: each message is a line of its standard input or output.
///
/// Source: specification 2025-11-25, "Transports", "stdio".
final class StdioLink: MCPLink {
    /// What is logged of the program's complaints: so many lines, so many bytes of each.
    private static let complaints = 200
    private static let longestComplaint = 500

    private let process: ChildProcess
    private let logger: Logger
    private let lastComplaint = Mutex("")

    init(_ process: ChildProcess, logger: Logger) {
        self.process = process
        self.logger = logger
    }

    func run(_ receive: @escaping Receiver) async throws(VoiceError) {
        var failure: VoiceError?
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await self.listenToComplaints() }
                defer { group.cancelAll() }
                try await process.pipes.executeThenClose { inbound, _ in
                    var lines = LineReader(longest: MCPLimits.message, excess: .refuse)
                    for try await piece in inbound {
                        for line in try lines.feed(piece.readableBytesView) { await receive(line) }
                    }
                }
                // What it complained about last says why it ended.
                _ = await process.hasEnded(within: .milliseconds(500))
            }
        } catch {
            failure = VoiceError.wrapping(error, doing: "broke off")
        }
        await process.end()
        if let failure { throw failure }
        throw VoiceError(.unavailable, await words(ofEnd: try? process.exit.get()))
    }

    func send(_ message: String, _ receive: @escaping Receiver) async throws(VoiceError) -> Bool {
        let channel = process.pipes.channel
        guard channel.isActive else { throw VoiceError(.unavailable, "is not running") }
        guard channel.isWritable else { throw VoiceError(.exhausted, "does not read what it is sent") }
        post(message)
        return true
    }

    func post(_ message: String) {
        let channel = process.pipes.channel
        guard channel.isWritable else { return }
        channel.writeAndFlush(ByteBuffer(string: message + "\n"), promise: nil)
    }

    func agreed(version: String) {}

    private func words(ofEnd status: Int32?) -> String {
        let said = lastComplaint.withLock { $0 }
        return "has ended, with status \(status ?? -1)" + (said.isEmpty ? "" : "; it said: \(said)")
    }

    /// Reads all that the program complains about, or it would wait for that, and logs the beginning.
    private func listenToComplaints() async {
        var lines = LineReader(longest: Self.longestComplaint, excess: .cut)
        var count = 0
        try? await process.errors.executeThenClose { inbound in
            for try await piece in inbound {
                for line in try lines.feed(piece.readableBytesView) {
                    lastComplaint.withLock { $0 = line }
                    count += 1
                    if count <= Self.complaints {
                        logger.debug("An MCP server's standard error", metadata: ["line": "\(line)"])
                    } else if count == Self.complaints + 1 {
                        logger.debug("An MCP server's standard error goes on and is not logged")
                    }
                }
            }
        }
    }
}
