package import VoiceCore

/// A conversation's path to a browser, an app or a telephone, over a ``WebSocketConnection``.
///
/// At most 2 s of microphone audio wait for the session and 2 s of reply audio for the socket, oldest dropped and
/// counted. A peer that takes nothing for 5 s is disconnected.
package struct WebSocketTransport: Transport {
    /// What arrives, in order; ends when the peer has gone, after what had arrived. One consumer.
    package let events: AsyncStream<TransportEvent>
    /// The rate at which the peer wants replies.
    package let playoutRate: SampleRate
    /// How far ahead of the clock the peer wants audio.
    package let playoutLead: Duration?
    /// The connection's event loop.
    package let executor: (any SessionExecutor)?
    private let connection: WebSocketConnection
    private let speaksToPage: Bool

    init(
        connection: WebSocketConnection,
        speaksToPage: Bool,
        playoutRate: SampleRate,
        playoutLead: Duration?,
        executor: any SessionExecutor,
        inbox: Inbox
    ) {
        self.connection = connection
        self.speaksToPage = speaksToPage
        self.playoutRate = playoutRate
        self.playoutLead = playoutLead
        self.executor = executor
        events = AsyncStream {
            await inbox.next()
        } onCancel: {
            inbox.abandon()
        }
    }

    /// While it rests the socket is read once in ``WebSocketLimits/restInterval``, those of a thread together.
    package func rest(_ isResting: Bool) { connection.rest(isResting) }

    /// Queues a message; it leaves at once if the socket has room.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` once the peer has gone.
    package func send(_ message: TransportMessage) async throws(VoiceError) {
        if speaksToPage { try connection.send(toPage: message) } else { try connection.send(toCall: message) }
    }
}
