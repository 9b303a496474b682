internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import VoiceCore

/// A program that we started, with its standard input, output and errors.
struct ChildProcess: Sendable {
    /// What it writes, and where to write to it.
    let pipes: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    /// What it complains about.
    let errors: NIOAsyncChannel<ByteBuffer, Never>
    /// Its exit status once it has ended; a signal's number plus 128 if one ended it.
    let exit: EventLoopFuture<Int32>
    private let process: Process

    /// What it is given of our environment: no secrets of others. As modelcontextprotocol/python-sdk 2.3.0,
    /// `mcp/client/stdio.py`.
    private static let inherited = ["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"]
    /// It is asked to end, told to end and ended at these distances.
    private static let patience = TimeAmount.seconds(2)

    /// Starts a program.
    /// - Parameters:
    ///   - command: a path, or a name that is looked for in `PATH`.
    ///   - environment: goes before what it gets of ours.
    ///   - folder: its working folder; nil for ours.
    /// - Throws: ``VoiceError/Code/unavailable``, a sentence after who wants it, when it cannot be started.
    static func start(
        _ command: String,
        _ arguments: [String],
        environment: [String: String],
        folder: String?
    ) async throws(VoiceError) -> ChildProcess {
        let ours = ProcessInfo.processInfo.environment
        let all = ours.filter { inherited.contains($0.key) }.merging(environment) { $1 }
        let program = try find(command, path: all["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = all
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let exit = loop.makePromise(of: Int32.self)
        process.terminationHandler = {
            exit.succeed($0.terminationReason == .exit ? $0.terminationStatus : 128 + $0.terminationStatus)
        }
        do {
            try process.run()
        } catch {
            exit.succeed(0)
            throw VoiceError(.unavailable, "cannot be started: \(program.path) does not run", cause: error)
        }
        do {
            let pipes = try await NIOPipeBootstrap(group: loop).takingOwnershipOfDescriptors(
                input: own(output.fileHandleForReading),
                output: own(input.fileHandleForWriting)
            ) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
            let complaints = try await NIOPipeBootstrap(group: loop).takingOwnershipOfDescriptor(
                input: own(errors.fileHandleForReading)
            ) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                }
            }
            return ChildProcess(pipes: pipes, errors: complaints, exit: exit.futureResult, process: process)
        } catch {
            process.terminate()
            throw VoiceError(.unavailable, "cannot be started: its pipes cannot be used", cause: error)
        }
    }

    /// Waits for its end, which its closed standard input asks for; then tells it to end, then ends it. Goes on in a cancelled task.
    func end() async {
        if await hasEnded(within: Self.patience) { return }
        process.terminate()
        if await hasEnded(within: Self.patience) { return }
        kill(process.processIdentifier, SIGKILL)
        _ = await hasEnded(within: Self.patience)
    }

    /// Whether it ends within so long.
    func hasEnded(within limit: TimeAmount) async -> Bool {
        let ended = exit.eventLoop.makePromise(of: Bool.self)
        let timer = exit.eventLoop.scheduleTask(in: limit) { ended.succeed(false) }
        exit.whenSuccess { _ in
            timer.cancel()
            ended.succeed(true)
        }
        return (try? await ended.futureResult.get()) ?? true
    }

    /// A descriptor of our own, which no other program gets, instead of the handle's.
    private static func own(_ handle: FileHandle) throws -> CInt {
        let descriptor = fcntl(handle.fileDescriptor, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EMFILE) }
        try handle.close()
        return descriptor
    }

    private static func find(_ command: String, path: String) throws(VoiceError) -> URL {
        let places = command.contains("/") ? [command] : path.split(separator: ":").map { "\($0)/\(command)" }
        guard let place = places.first(where: FileManager.default.isExecutableFile) else {
            throw VoiceError(
                .unavailable,
                "cannot be started: there is no program '\(command)'; install it or give its path"
            )
        }
        return URL(fileURLWithPath: place)
    }
}
