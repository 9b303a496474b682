package import NIOCore
internal import Synchronization
package import VoiceCore

/// One person's WebRTC connection, from its first offer to its end. All methods may be called from any task and return at once.
package final class WebRTCConnection: Sendable {
    /// Its name, by which later offers and candidates come.
    package let id: String
    /// Succeeds with true when the conversation can begin, with false if it never will. Never fails.
    package let greeting: EventLoopFuture<Bool>
    /// Succeeds when the connection is over. Never fails.
    package let closed: EventLoopFuture<Void>

    let inbox: Inbox
    private let port: WebRTCPort
    private let executor: LoopExecutor
    private let hasEnded = Mutex(false)
    private let counters: TransportCounters

    init(
        id: String,
        port: WebRTCPort,
        executor: LoopExecutor,
        greeting: EventLoopFuture<Bool>,
        closed: EventLoopFuture<Void>,
        limits: WebSocketLimits,
        counters: TransportCounters
    ) {
        self.id = id
        self.port = port
        self.executor = executor
        self.greeting = greeting
        self.closed = closed
        self.counters = counters
        inbox = Inbox(limits: limits)
    }

    /// True once either side has begun to end it.
    package var isClosing: Bool { hasEnded.withLock { $0 } }

    /// Tells the client that the conversation begins; it goes on over the transport.
    package func accept(_ welcome: Welcome) -> WebRTCTransport {
        port.perform(on: id) { call, now in call.begin(welcome, at: now) }
        return WebRTCTransport(connection: self, executor: executor, inbox: inbox)
    }

    /// Ends it in good order, telling the client why.
    package func close(_ reason: CloseReason) {
        hasEnded.withLock { $0 = true }
        port.perform(on: id) { call, now in call.close(reason, at: now) }
    }

    /// Hands the session an event that did not come from the client.
    package func deliver(_ event: TransportEvent) { _ = inbox.push(event) }

    func send(_ message: TransportMessage) throws(VoiceError) {
        guard !isClosing else { throw VoiceError(.unavailable, "the peer has gone") }
        port.perform(on: id) { call, now in call.send(message, at: now) }
    }

    /// Takes something for the session.
    ///
    /// - Returns: false when the session takes too little.
    func push(_ event: TransportEvent) -> Bool {
        guard let dropped = inbox.push(event) else { return false }
        if dropped > .zero { counters.note(microphoneDropped: dropped) }
        return true
    }

    /// Learns that the connection is over.
    func end() {
        hasEnded.withLock { $0 = true }
        inbox.finish()
    }
}
