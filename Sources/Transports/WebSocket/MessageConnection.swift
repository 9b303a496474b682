package import NIOCore
package import NIOWebSocket
package import VoiceCore

/// One WebSocket of an engine's server, from the end of the HTTP upgrade to its close: whole messages in, text and audio out.
///
/// Nothing that has arrived is lost: while too much waits for ``next()`` the socket is not read. One task reads; any task
/// may write.
package struct MessageConnection: Sendable {
    /// A message with the time at which it was complete.
    package struct Arrival: Sendable, Equatable {
        /// What came.
        package var message: MessageMachine.Message
        /// When it was complete.
        package var at: Duration
    }

    private let wire: WebSocketWire<MessageDialogue>
    private let inbox: MessageInbox

    /// Puts the WebSocket's handlers at the end of the pipeline. To be called on the channel's event loop.
    ///
    /// - Parameter describe: the protocol's own message for a failure, sent before the close frame.
    /// - Throws: an error of the pipeline if the channel has just closed.
    package init(
        on channel: any Channel,
        limits: WebSocketLimits,
        clock: any SessionClock,
        counters: TransportCounters,
        describing describe: @escaping @Sendable (VoiceError.Code, String) -> ByteBuffer?
    ) throws {
        let inbox = MessageInbox(capacity: limits.inboundBacklogBytes)
        let dialogue = MessageDialogue(inbox: inbox, limits: limits, describing: describe, at: clock.now)
        let shared = WebSocketShared(outbox: Outbox(limits: limits), counters: counters, clock: clock)
        self.inbox = inbox
        wire = try WebSocketWire(on: channel, dialogue, limits: limits, shared: shared)
    }

    /// Succeeds when the socket is closed. Never fails.
    package var closed: EventLoopFuture<Void> { wire.closed }

    /// True once either side has begun to close.
    package var isClosing: Bool { wire.isClosing }

    /// Waits for the next message; nil once the peer has gone or the task is cancelled.
    package func next() async -> Arrival? {
        guard let (arrival, hasRoomAgain) = await inbox.next() else { return nil }
        if hasRoomAgain { wire.resumeReading() }
        return arrival
    }

    /// Takes what has arrived and will not be read any more.
    package func rest() -> [Arrival] { inbox.drain() }

    /// Queues a text message.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - isProvisional: true if the next provisional message may take its place while it still waits for the socket.
    /// - Throws: ``VoiceError/Code/unavailable`` once the peer has gone or must go because it reads too slowly.
    package func send(_ text: ByteBuffer, isProvisional: Bool = false) throws(VoiceError) {
        try wire.push(.init(opcode: .text, payload: text, isProvisional: isProvisional))
    }

    /// Queues what belongs to a reply: its audio, as a binary message, or a text message that is worth nothing without it.
    ///
    /// Audio beyond two seconds drives out the oldest, so wait for room before.
    /// - Parameters:
    ///   - bytes: the message.
    ///   - opcode: binary for audio.
    ///   - duration: of the audio; zero for text.
    ///   - epoch: the reply's number; they grow. Of a reply that was cut nothing is sent.
    /// - Throws: ``VoiceError/Code/unavailable`` once the peer has gone or must go because it reads too slowly.
    package func send(
        _ bytes: ByteBuffer,
        as opcode: WebSocketOpcode,
        lasting duration: Duration,
        epoch: Int
    ) throws(VoiceError) {
        try wire.push(.init(opcode: opcode, payload: bytes, audio: .init(epoch: epoch, duration: duration)))
    }

    /// Waits until less than half a second of audio waits for the socket, the connection closes or the task is cancelled.
    /// One task at a time.
    package func waitForRoom() async { await wire.waitForRoom() }

    /// Forgets what waits of this reply and of every earlier one, now and in future.
    /// - Returns: how much audio that was.
    package func cut(epoch: Int) -> Duration { wire.cut(epoch: epoch) }

    /// Forgets what waits of this reply.
    /// - Returns: how much audio that was.
    package func forget(epoch: Int) -> Duration { wire.pause(epoch: epoch) }

    /// Closes in an orderly way: what is said already goes out, then the reason, then the close frame.
    package func close(_ reason: CloseReason) { wire.close(reason) }
}
