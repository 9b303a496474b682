internal import NIOCore
internal import NIOPosix
internal import VoiceCore

/// HAProxy's runtime API on its Unix socket: one connection for each command, so that nothing is left over when HAProxy is
/// replaced.
struct RuntimeSocket: Sendable {
    /// The socket's path.
    let path: String

    /// How long an answer may take.
    private static let patience = TimeAmount.seconds(2)
    /// Bytes of an answer at most: 64 slots are 6 KiB.
    private static let longestAnswer = 1 << 20

    /// Gives a command and returns the answer.
    /// - Throws: ``VoiceError/Code/unavailable`` if there is no HAProxy, or it does not answer within two seconds.
    func ask(_ command: String) async throws(VoiceError) -> String {
        do {
            let connection =
                try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(Self.patience)
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            let timer = limit(connection.channel)
            defer { timer.cancel() }
            return try await connection.executeThenClose { answers, commands in
                try await commands.write(ByteBuffer(string: command + "\n"))
                var answer = ByteBuffer()
                for try await part in answers {
                    answer.writeImmutableBuffer(part)
                    guard answer.readableBytes <= Self.longestAnswer else {
                        throw VoiceError(.malformedInput, "HAProxy's answer to '\(command)' has no end")
                    }
                }
                return String(buffer: answer)
            }
        } catch let error as VoiceError {
            throw error
        } catch is CancellationError {
            throw VoiceError(.cancelled, "the command to HAProxy was cancelled")
        } catch {
            throw VoiceError(
                .unavailable,
                "HAProxy does not answer on \(path): start it, or correct --haproxy",
                cause: error
            )
        }
    }

    /// Ends a connection that takes too long, with an error.
    private func limit(_ channel: any Channel) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: Self.patience) { [path] in
            channel.pipeline.fireErrorCaught(
                VoiceError(.unavailable, "HAProxy took more than two seconds to answer on \(path)")
            )
            channel.close(promise: nil)
        }
    }
}
