internal import NIOPosix
internal import NIOSSL
package import VoiceCore
package import WebSocketClient

/// A recogniser on a server that speaks the protocol of pipecat-ai/nemotron-january-2026, behind ``SpeechRecognizer``.
///
/// A stream is one WebSocket. When that is lost, the running utterance fails and the next one connects anew, so a server may
/// be restarted under a running session. Audio that the server does not take is kept for ten seconds. Options other than the
/// defaults are told to the server, and only Repartee's own takes them.
package final class RemoteRecognizer: SpeechRecognizer {
    /// `remote` and the server's address.
    package let name: String

    private let address: ServerAddress
    private let limits: RemoteLimits
    private let clock: any SessionClock
    private let tls: NIOSSLContext?

    /// Takes an address; connects to nothing yet.
    /// - Throws: `unavailable` when the machine has no usable certificates for an address that wants them.
    package convenience init(address: ServerAddress) throws(VoiceError) {
        try self.init(address: address, limits: RemoteLimits(), clock: SystemClock(), roots: .default)
    }

    /// The same with limits, a clock and the certificates to trust.
    init(
        address: ServerAddress,
        limits: RemoteLimits,
        clock: any SessionClock,
        roots: NIOSSLTrustRoots
    ) throws(VoiceError) {
        self.address = address
        self.limits = limits
        self.clock = clock
        name = "remote \(address)"
        tls = try WebSocketLink.tls(for: address, trusting: roots)
    }

    /// Connects once, so that a server that is missing is noticed before the first session.
    /// - Throws: `unavailable` when it is not ready in time.
    package func prepare() async throws(VoiceError) { _ = try await openStream() }

    /// Opens a stream; see ``SpeechRecognizer/openStream(_:)``.
    package func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream {
        let link = WebSocketLink(
            address: address,
            limits: WebSocketLink.Limits(
                connect: limits.connect,
                messageBytes: limits.messageBytes,
                messages: limits.messages,
                overflow: .leave
            ),
            tls: tls,
            group: MultiThreadedEventLoopGroup.singleton,
            clock: clock
        )
        let stream = RemoteStream(place: "\(address)", options: options, link: link, limits: limits, clock: clock)
        try await stream.open()
        return stream
    }
}
