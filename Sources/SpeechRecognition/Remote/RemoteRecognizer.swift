internal import NIOPosix
internal import NIOSSL
package import ServerPool
package import VoiceCore
package import WebSocketClient

/// A recogniser on servers that speak the protocol of pipecat-ai/nemotron-january-2026, behind ``SpeechRecognizer``.
///
/// A stream is one WebSocket. When that is lost, the running utterance fails and the next one connects anew, so a server may
/// be restarted under a running session. Audio that the server does not take is kept for ten seconds. Options other than the
/// defaults are told to the server, and only Repartee's own takes them.
///
/// With several servers a stream has one of them; when that is lost, the running utterance, of which the last thirty seconds are kept,
/// is begun again on another.
package final class RemoteRecognizer: SpeechRecognizer {
    /// `remote` and the servers' addresses.
    package let name: String

    private let servers: SpeechServers
    private let limits: RemoteLimits
    private let clock: any SessionClock
    private let warn: @Sendable (String) -> Void

    /// Takes an address; connects to nothing yet.
    /// - Throws: `unavailable` when the machine has no usable certificates for an address that wants them.
    package convenience init(address: ServerAddress) throws(VoiceError) { try self.init([address], pool: nil) }

    /// Takes the addresses of a pool's servers, in its order; connects to nothing yet.
    /// - Parameters:
    ///   - pool: chooses among them; nil for one.
    ///   - warn: told of a server that cannot be used.
    /// - Throws: as above.
    package convenience init(
        _ addresses: [ServerAddress],
        pool: ServerPool?,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(VoiceError) {
        try self.init(
            addresses,
            pool: pool,
            limits: .pool(of: addresses.count),
            clock: SystemClock(),
            roots: .default,
            warn: warn
        )
    }

    /// The same with limits, a clock and the certificates to trust.
    init(
        _ addresses: [ServerAddress],
        pool: ServerPool? = nil,
        limits: RemoteLimits,
        clock: any SessionClock,
        roots: NIOSSLTrustRoots,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(VoiceError) {
        servers = try SpeechServers(addresses, pool: pool, roots: roots)
        self.limits = limits
        self.clock = clock
        self.warn = warn
        name = "remote \(servers.name)"
    }

    /// Connects once, so that it is noticed before the first session when there is no server.
    /// - Throws: `unavailable` when none is ready in time.
    package func prepare() async throws(VoiceError) { _ = try await openStream() }

    /// Opens a stream; see ``SpeechRecognizer/openStream(_:)``.
    package func openStream(_ options: RecognitionOptions) async throws(VoiceError) -> any RecognizerStream {
        let link = WebSocketLink(
            address: servers.addresses[0],
            limits: WebSocketLink.Limits(
                connect: limits.connect,
                messageBytes: limits.messageBytes,
                messages: limits.messages,
                overflow: .leave
            ),
            tls: servers.tls,
            group: MultiThreadedEventLoopGroup.singleton,
            clock: clock
        )
        let stream = RemoteStream(servers, options: options, link: link, limits: limits, clock: clock, warn: warn)
        try await stream.open()
        return stream
    }
}
