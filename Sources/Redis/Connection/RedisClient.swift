package import Logging
internal import NIOCore
internal import NIOPosix
package import NIOSSL
internal import Synchronization
package import VoiceCore

/// One connection to a Redis server, made anew whenever it is lost.
///
/// ``run()`` is its life: somebody's task group has to run it. Any number of tasks may send commands meanwhile; they share the connection and
/// go over it one after the other without waiting for each other's replies. Every command has its reply or an error within
/// ``Limits/command``.
package final class RedisClient: Sendable {
    /// How much a client takes.
    package struct Limits: Sendable {
        /// How long a connection may take, and then the greeting: TLS, the password, the first reply.
        package var connect: Duration
        /// How long a command may take, from ``RedisClient/send(_:)`` to its reply.
        package var command: Duration
        /// Commands that may wait for their replies.
        package var commands: Int
        /// Bytes of those commands.
        package var bytes: Int
        /// What a reply may take.
        package var reply: RESPDecoder.Limits

        /// Makes limits.
        package init(
            connect: Duration = .seconds(1),
            command: Duration = .seconds(1),
            commands: Int = 4096,
            bytes: Int = 64 << 20,
            reply: RESPDecoder.Limits = RESPDecoder.Limits()
        ) {
            self.connect = connect
            self.command = command
            self.commands = commands
            self.bytes = bytes
            self.reply = reply
        }
    }

    private let address: RedisAddress
    private let limits: Limits
    private let tls: NIOSSLContext?
    private let clock: any SessionClock
    private let logger: Logger
    private let seed: UInt64
    private let loop: any EventLoop
    private let line: NIOLoopBoundBox<RedisLine>
    private let ready: ReadyFlag

    /// Read by any task, written by the event loop.
    private final class ReadyFlag: Sendable {
        let value = Atomic(false)
    }

    /// Makes a client without a connection.
    /// - Parameters:
    ///   - roots: the certificates to trust, for addresses with TLS.
    ///   - seed: of the pauses between attempts.
    /// - Throws: `unavailable` when TLS is wanted and cannot be had.
    package init(
        _ address: RedisAddress,
        limits: Limits = Limits(),
        trusting roots: NIOSSLTrustRoots = .default,
        clock: any SessionClock,
        logger: Logger,
        seed: UInt64 = .random(in: .min ... .max)
    ) throws(VoiceError) {
        self.address = address
        self.limits = limits
        self.clock = clock
        self.logger = logger
        self.seed = seed
        tls = try Self.tls(for: address, roots)
        loop = MultiThreadedEventLoopGroup.singleton.next()
        let ready = ReadyFlag()
        self.ready = ready
        line = NIOLoopBoundBox.makeBoxSendingValue(
            RedisLine(
                address: address,
                limits: .init(
                    command: limits.command,
                    greeting: limits.connect,
                    commands: limits.commands,
                    bytes: limits.bytes
                ),
                clock: clock,
                loop: loop,
                onReady: { ready.value.store($0, ordering: .relaxed) }
            ),
            eventLoop: loop
        )
    }

    /// Whether there is a connection on which the server has answered.
    package var isReady: Bool { ready.value.load(ordering: .relaxed) }

    /// Sends a command and waits for its reply.
    ///
    /// While the first connection is being made, and while it is being made again, commands wait for it; between attempts they fail at once.
    /// A command without a reply may have been carried out all the same.
    ///
    /// - Returns: the reply, which may be the server's error.
    /// - Throws: `unavailable` when there is no reply in time; `exhausted` when too much waits; `cancelled`.
    package func send(_ words: [String]) async throws(VoiceError) -> RESPValue {
        let promise = loop.makePromise(of: RESPValue.self)
        let bytes = RedisLine.bytes(of: words)
        do {
            return try await withTaskCancellationHandler {
                loop.execute { [line] in line.value.submit(promise, bytes) }
                return try await promise.futureResult.get()
            } onCancel: {
                promise.fail(VoiceError(.cancelled, "a command to Redis was cancelled"))
            }
        } catch {
            throw VoiceError.wrapping(error, doing: "a command to Redis failed")
        }
    }

    /// Holds the connection until the task is cancelled. Called once.
    package func run() async {
        var pause = RetryPause(seed: seed)
        var isSilent = false
        while !Task.isCancelled {
            let (why, wasReady) = await connect()
            if Task.isCancelled { break }
            if wasReady {
                pause.reset()
                isSilent = false
            }
            // Once for each time that it was lost: a server that is away for an hour is no news every second.
            if !isSilent {
                logger.warning("Redis cannot be used", metadata: ["address": "\(address)", "reason": "\(why)"])
            }
            isSilent = true
            try? await clock.sleep(until: clock.now + pause.next())
        }
        loop.execute { [line] in line.value.stop() }
    }

    // MARK: -

    /// Makes a connection and stays until it is gone.
    private func connect() async -> (why: String, wasReady: Bool) {
        await withTaskCancellationHandler {
            do {
                try await loop.submit { [line] in try line.value.begin() }.get()
                let channel = try await ClientBootstrap(group: loop)
                    .connectTimeout(TimeAmount(limits.connect))
                    .channelOption(.socketOption(.tcp_nodelay), value: 1)
                    .channelInitializer { [self] channel in
                        channel.eventLoop.makeCompletedFuture { try initialize(channel) }
                    }
                    .connect(host: address.host, port: address.port).get()
                try await channel.closeFuture.get()
            } catch {
                loop.execute { [line] in line.value.fail(nil, why: RedisLine.words(for: error)) }
            }
            return (try? await loop.submit { [line] in line.value.outcome }.get()) ?? (
                "its event loop has ended", false
            )
        } onCancel: {
            loop.execute { [line] in line.value.stop() }
        }
    }

    private func initialize(_ channel: any Channel) throws {
        try line.value.attempt(channel)
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            // A certificate is for a name, or for the address that was dialled when there is none.
            let isName = (try? SocketAddress(ipAddress: address.host, port: address.port)) == nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isName ? address.host : nil))
        }
        try pipeline.addHandler(RedisHandler(line: line.value, decoder: RESPDecoder(limits: limits.reply)))
    }

    private static func tls(for address: RedisAddress, _ roots: NIOSSLTrustRoots) throws(VoiceError) -> NIOSSLContext? {
        guard address.isSecure else { return nil }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = roots
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw VoiceError(.unavailable, "TLS for \(address) cannot be set up", cause: error)
        }
    }
}
