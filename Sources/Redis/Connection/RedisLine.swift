internal import NIOCore
internal import NIOPosix
internal import VoiceCore

/// The connections of one client, one after the other, and its commands. Belongs to one event loop, where everything is called.
final class RedisLine {
    typealias Ticket = EventLoopPromise<RESPValue>

    private let address: RedisAddress
    private let clock: any SessionClock
    private let loop: any EventLoop
    /// Told whether commands are sent at once.
    private let onReady: @Sendable (Bool) -> Void
    private var pipeline: CommandPipeline<Ticket>
    private var channel: (any Channel)?
    /// Sockets of which one may become the connection: a name can have several addresses.
    private var attempts: [any Channel] = []
    private var timer: (task: Scheduled<Void>, due: Duration)?
    private var mustFlush = false
    private var isStopped = false
    /// Why the last connection ended, and whether it was ever ready.
    private var why = "it was not asked yet"
    private var wasReady = false

    init(
        address: RedisAddress,
        limits: CommandPipeline<Ticket>.Limits,
        clock: any SessionClock,
        loop: any EventLoop,
        onReady: @escaping @Sendable (Bool) -> Void
    ) {
        self.address = address
        self.clock = clock
        self.loop = loop
        self.onReady = onReady
        pipeline = CommandPipeline(limits: limits)
    }

    /// What went wrong with a connection, in words.
    static func words(for error: any Error) -> String {
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        return error.connectionErrors.last.map { "\($0.error)" } ?? "the name \(error.host) is not known"
    }

    /// Takes a command.
    func submit(_ ticket: Ticket, _ bytes: ByteBuffer) {
        switch pipeline.submit(ticket, bytes, at: clock.now) {
        case .send: write(bytes)
        case .wait: break
        case .refuse(let error): ticket.fail(error)
        }
        watch()
    }

    // MARK: - one connection

    /// A connection is to be made: commands wait for it from now on.
    /// - Throws: when the client has ended.
    func begin() throws {
        guard !isStopped else { throw ChannelError.ioOnClosedChannel }
        wasReady = false
        pipeline.begin()
    }

    /// A socket is attempted.
    /// - Throws: when the client has ended.
    func attempt(_ channel: any Channel) throws {
        guard !isStopped else { throw ChannelError.ioOnClosedChannel }
        attempts.append(channel)
    }

    /// There is a connection: it is greeted.
    func opened(_ channel: any Channel) {
        guard !isStopped, self.channel == nil else { return channel.close(promise: nil) }
        self.channel = channel
        attempts = []
        let commands = address.greeting
        pipeline.greet(with: commands.count, at: clock.now)
        for command in commands { write(Self.bytes(of: command)) }
        watch()
    }

    /// A reply came.
    func received(_ value: RESPValue, on channel: any Channel) {
        guard self.channel === channel else { return }
        switch pipeline.receive(value) {
        case .complete(let ticket, let value): ticket.succeed(value)
        case .send(let commands):
            wasReady = true
            onReady(true)
            for command in commands { write(command) }
        case .proceed: break
        case .fail(let why): fail(channel, why: why)
        }
    }

    /// A connection is of no use any more, or could not be made.
    func fail(_ channel: (any Channel)?, why: String) {
        if let channel, self.channel !== channel { return }
        self.why = why
        let ended = attempts + [self.channel].compactMap { $0 }
        self.channel = nil
        attempts = []
        onReady(false)
        let message = "Redis at \(address.authority) cannot be used: \(why)"
        for ticket in pipeline.end(why: message) { ticket.fail(VoiceError(.unavailable, message)) }
        timer?.task.cancel()
        timer = nil
        for channel in ended { channel.close(promise: nil) }
    }

    /// Ends the connection, because the client ends.
    func stop() {
        isStopped = true
        fail(nil, why: "nobody runs its connection")
    }

    /// How the last connection was.
    var outcome: (why: String, wasReady: Bool) { (why, wasReady) }

    // MARK: -

    /// The bytes of a command.
    static func bytes(of words: [String]) -> ByteBuffer {
        var buffer = ByteBuffer()
        RESPValue.command(words).write(to: &buffer)
        return buffer
    }

    /// Writes now, and sends together with all that is written in this turn of the event loop.
    private func write(_ bytes: ByteBuffer) {
        channel?.write(bytes, promise: nil)
        guard !mustFlush else { return }
        mustFlush = true
        loop.assumeIsolated().execute { [self] in
            mustFlush = false
            channel?.flush()
        }
    }

    /// Sets one timer, for what is due first.
    private func watch() {
        guard let due = pipeline.deadline, timer.map({ due < $0.due }) ?? true else { return }
        timer?.task.cancel()
        let task = loop.assumeIsolated().scheduleTask(in: TimeAmount(max(.zero, due - clock.now))) { [self] in
            timer = nil
            expire()
        }
        timer = (task, due)
    }

    private func expire() {
        let (late, failure) = pipeline.expire(at: clock.now)
        for ticket in late {
            ticket.fail(VoiceError(.unavailable, "Redis at \(address.authority) cannot be reached in time"))
        }
        if let failure { fail(channel, why: failure) }
        watch()
    }
}
