package import VoiceCore

/// A conversation's path to a browser, over a ``WebSocketConnection``.
///
/// At most 2 s of microphone audio wait for the session and 2 s of reply audio for the socket, oldest dropped and
/// counted. A peer that takes nothing for 5 s is disconnected.
package struct WebSocketTransport: Transport {
    /// What arrives, in order; ends when the page has gone, after what had arrived. One consumer.
    package let events: AsyncStream<TransportEvent>
    /// The rate the page asked for.
    package let playoutRate: SampleRate
    private let connection: WebSocketConnection

    init(connection: WebSocketConnection, playoutRate: SampleRate, inbox: Inbox) {
        self.connection = connection
        self.playoutRate = playoutRate
        events = AsyncStream {
            await inbox.next()
        } onCancel: {
            inbox.abandon()
        }
    }

    /// Queues a message; it leaves at once if the socket has room.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` once the page has gone.
    package func send(_ message: TransportMessage) async throws(VoiceError) { try connection.send(message) }
}
