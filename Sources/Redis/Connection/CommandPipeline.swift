internal import NIOCore
internal import VoiceCore

/// The commands of one client: what waits for a connection, and what waits for its reply.
///
/// A value: event and time in, what is to be done out. Replies have no names, they come in the order of the commands ("Pipelining" of the
/// protocol's page); so a connection on which one command was not answered in time is of no use any more.
///
/// - Parameter Ticket: what tells whose command it is.
struct CommandPipeline<Ticket> {
    /// What may wait, and how long.
    struct Limits {
        /// How long a command may take, from its submission to its reply.
        var command: Duration
        /// How long a server may take for the greeting.
        var greeting: Duration
        /// Commands that wait, with or without having been sent.
        var commands: Int
        /// Bytes of them.
        var bytes: Int
    }

    /// Where the connection is.
    enum Phase: Equatable {
        /// There is none yet, but it is on its way: commands wait for it.
        case coming
        /// The server has been greeted.
        case greeting
        /// Commands are sent at once.
        case ready
        /// The last attempt failed: commands are refused until the next one.
        case down(why: String)
    }

    /// What becomes of a command.
    enum Admission {
        /// It is to be sent.
        case send
        /// It is kept.
        case wait
        /// It is not accepted.
        case refuse(VoiceError)
    }

    /// What comes of a reply.
    enum Step {
        /// A command is done.
        case complete(Ticket, RESPValue)
        /// The connection is ready; what waited is to be sent now.
        case send([ByteBuffer])
        /// One more reply of the greeting.
        case proceed
        /// The connection is of no use.
        case fail(why: String)
    }

    private struct Command {
        var ticket: Ticket
        var bytes: ByteBuffer
        var deadline: Duration
    }

    private(set) var phase = Phase.coming
    private let limits: Limits
    /// Oldest first, and older than all that wait. Their bytes count until the reply.
    private var sent = CircularBuffer<Command>()
    private var waiting = CircularBuffer<Command>()
    private var byteCount = 0
    /// Replies that the greeting still expects, and until when.
    private var greetings = 0
    private var greetingDeadline = Duration.zero

    init(limits: Limits) { self.limits = limits }

    /// When to call ``expire(at:)`` next; nil while nothing is waited for.
    var deadline: Duration? {
        let command = sent.first?.deadline ?? waiting.first?.deadline
        return phase == .greeting ? min(greetingDeadline, command ?? greetingDeadline) : command
    }

    /// Takes a command.
    mutating func submit(_ ticket: Ticket, _ bytes: ByteBuffer, at now: Duration) -> Admission {
        if case .down(let why) = phase { return .refuse(VoiceError(.unavailable, why)) }
        guard sent.count + waiting.count < limits.commands, byteCount + bytes.readableBytes <= limits.bytes else {
            let count = sent.count + waiting.count
            return .refuse(VoiceError(.exhausted, "\(count) commands wait for Redis already: this one is not sent"))
        }
        byteCount += bytes.readableBytes
        let command = Command(ticket: ticket, bytes: bytes, deadline: now + limits.command)
        if phase == .ready {
            sent.append(command)
            return .send
        }
        waiting.append(command)
        return .wait
    }

    /// A connection is attempted.
    mutating func begin() { phase = .coming }

    /// There is a connection, and the greeting of so many commands is on its way.
    mutating func greet(with commands: Int, at now: Duration) {
        phase = .greeting
        greetings = commands
        greetingDeadline = now + limits.greeting
    }

    /// Takes a reply.
    mutating func receive(_ value: RESPValue) -> Step {
        switch phase {
        case .greeting:
            if case .failure(let problem) = value { return .fail(why: "it refuses us: \(problem)") }
            greetings -= 1
            guard greetings == 0 else { return .proceed }
            phase = .ready
            let bytes = waiting.map(\.bytes)
            for command in waiting { sent.append(command) }
            waiting.removeAll()
            return .send(bytes)
        case .ready:
            guard let command = sent.popFirst() else { return .fail(why: "it sent a reply to nothing") }
            byteCount -= command.bytes.readableBytes
            return .complete(command.ticket, value)
        case .coming, .down:
            return .fail(why: "it spoke before it was spoken to")
        }
    }

    /// Looks for what took too long.
    /// - Returns: commands that waited in vain for a connection, and why the connection is of no use now, if it is.
    mutating func expire(at now: Duration) -> (tickets: [Ticket], failure: String?) {
        if phase == .greeting, greetingDeadline <= now {
            return ([], "it does not answer within \(limits.greeting.milliseconds.rounded()) ms")
        }
        if let oldest = sent.first, oldest.deadline <= now {
            return ([], "it does not answer within \(limits.command.milliseconds.rounded()) ms")
        }
        var tickets: [Ticket] = []
        while let first = waiting.first, first.deadline <= now {
            waiting.removeFirst()
            byteCount -= first.bytes.readableBytes
            tickets.append(first.ticket)
        }
        return (tickets, nil)
    }

    /// There is no connection any more.
    /// - Returns: all commands, none of which will get a reply. Those that were sent may have been carried out.
    mutating func end(why: String) -> [Ticket] {
        defer {
            phase = .down(why: why)
            sent.removeAll()
            waiting.removeAll()
            byteCount = 0
        }
        return sent.map(\.ticket) + waiting.map(\.ticket)
    }
}
