internal import NIOCore
internal import VoiceCore

/// The browser's protocol without sound, as a value: the page's side of a data channel beside tracks that carry the sound.
///
/// **Feed whatever comes, then do what is returned, in order.** Messages are those of `docs/protocol.md`. A page that has not greeted yet
/// is told nothing; the latest 50 messages wait for it, older ones are dropped and counted.
struct PageSession: Sendable {
    /// The label of the page's channel.
    static let label = "repartee"
    /// The most messages that wait for the page's greeting; as many as RTVI's clients get.
    private static let capacity = 50

    private let helloTimeout: Duration
    private var deadline: Duration?
    private var hasGreeted = false
    /// The answer to the greeting, once the conversation has begun.
    private var ready: BrowserProtocol.ServerMessage?
    private var waiting = FIFO<BrowserProtocol.ServerMessage>()

    /// Messages that a page that had not greeted never got.
    private(set) var dropped = 0

    /// - Parameter helloTimeout: how long a page may take until `hello`, from ``open(at:)`` on.
    init(helloTimeout: Duration) { self.helloTimeout = helloTimeout }

    // MARK: - The page

    /// Learns that the page's channel is open.
    mutating func open(at now: Duration) { deadline = now + helloTimeout }

    /// Takes a text of the page. Any text is legal input; one that breaks the protocol ends the conversation.
    mutating func receive(_ text: String) -> [ChannelDialogue.Action] {
        do {
            return handle(try BrowserProtocol.decode(text: ByteBuffer(string: text)))
        } catch {
            return [.end(error.reason)]
        }
    }

    /// Takes a binary message of the page, which has no place beside a track.
    func receive(_ binary: [UInt8]) -> [ChannelDialogue.Action] {
        [.end(.unacceptableData("a binary message of \(binary.count) bytes: here the tracks carry the sound"))]
    }

    /// Takes the time; to be called a few times a second.
    mutating func tick(at now: Duration) -> [ChannelDialogue.Action] {
        guard let deadline, !hasGreeted, now >= deadline else { return [] }
        return [.end(.protocolError("no `hello` came within \(Int(helloTimeout.milliseconds)) ms"))]
    }

    private mutating func handle(_ message: BrowserProtocol.ClientMessage) -> [ChannelDialogue.Action] {
        guard hasGreeted else {
            switch message {
            // The rates are the tracks' affair.
            case .hello:
                hasGreeted = true
                return [.begin] + becomeReady()
            case .ignored: return []
            default: return [.end(.protocolError("the first message must be `hello`"))]
            }
        }
        switch message {
        case .hello: return [.end(.protocolError("`hello` came twice"))]
        case .text(let text): return [.deliver(.text(text))]
        case .interrupt: return [.deliver(.interrupt)]
        case .cancelJob(let id): return [.deliver(.cancelJob(id))]
        case .ping(let number): return say(.pong(number))
        case .bye: return [.end(.ended)]
        // What has been heard is reckoned from the packets.
        case .played, .ignored: return []
        }
    }

    // MARK: - The agent

    /// Learns that the conversation has begun, and what the page is to be told of it.
    mutating func begin(_ ready: BrowserProtocol.ServerMessage) -> [ChannelDialogue.Action] {
        self.ready = ready
        return becomeReady()
    }

    /// Takes news of the conversation.
    mutating func handle(_ event: SessionEvent) -> [ChannelDialogue.Action] {
        guard event.isForPages else { return [] }
        if hasGreeted, ready != nil { return say(.event(event)) }
        waiting.append(.event(event))
        while waiting.count > Self.capacity {
            _ = waiting.removeFirst()
            dropped += 1
        }
        return []
    }

    /// What is said last: the reason, and the close code that a data channel does not have.
    func farewell(_ reason: CloseReason) -> [ChannelDialogue.Action] {
        let error = reason.failure.map { say(.event(.error(code: $0.description, message: reason.message))) }
        return (error ?? []) + say(.bye(code: reason.code))
    }

    private mutating func becomeReady() -> [ChannelDialogue.Action] {
        guard hasGreeted, let ready else { return [] }
        var actions = say(ready)
        while let message = waiting.removeFirst() { actions += say(message) }
        return actions
    }

    private func say(_ message: BrowserProtocol.ServerMessage) -> [ChannelDialogue.Action] {
        // All messages have a JSON form.
        (try? BrowserProtocol.encode(message)).map { [.say(String(buffer: $0))] } ?? []
    }
}
