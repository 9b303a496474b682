package import VoiceCore

/// A conversation's path to a browser or an app over WebRTC.
///
/// At most 2 s of microphone audio wait for the session and 2 s of reply audio for their packets, oldest dropped and counted.
package struct WebRTCTransport: Transport {
    /// What arrives, in order; ends when the peer has gone, after what had arrived. One consumer.
    package let events: AsyncStream<TransportEvent>
    /// The port's event loop while few share it, else another one.
    package let executor: (any SessionExecutor)?
    private let connection: WebRTCConnection

    init(connection: WebRTCConnection, executor: any SessionExecutor, inbox: Inbox) {
        self.connection = connection
        self.executor = executor
        events = AsyncStream {
            await inbox.next()
        } onCancel: {
            inbox.abandon()
        }
    }

    /// 24 kHz.
    package var playoutRate: SampleRate { WebRTCCall.playoutRate }

    /// Two packets.
    package var playoutLead: Duration? { WebRTCCall.playoutLead }

    /// Queues a message for the port's event loop.
    ///
    /// - Throws: ``VoiceError/Code/unavailable`` once the peer has gone.
    package func send(_ message: TransportMessage) async throws(VoiceError) { try connection.send(message) }
}
