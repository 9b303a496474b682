package import ServerPool
package import VoiceCore
package import WebSocketClient

/// A voice on servers that speak the protocol of pipecat-ai/nemotron-january-2026, behind ``SpeechSynthesizer``.
///
/// A text is a stream of the server's on a connection that no other text uses meanwhile; a few connections are kept. When one
/// is lost before a text's first audio, the text is sent again over a new one, so a server may be restarted under a running
/// agent. Words have times where the server tells them, as Repartee's own does.
///
/// With several servers each text goes to one of them. When that fails another one says it, or the rest of it from the word on that was not
/// heard as a whole, if the words have times.
package final class RemoteSynthesizer: SpeechSynthesizer {
    /// `remote`, the servers' addresses, and the voice if one was chosen.
    package let name: String
    /// The rate of the servers' voice; 22 050 Hz for one that tells none.
    package let sampleRate: SampleRate

    private let servers: VoiceServers

    /// The path of the protocol's WebSocket.
    private static let path = "/ws/tts/stream"

    /// Reads the address of a synthesis server; the path may be left out.
    /// - Parameter place: where it was given, for errors.
    /// - Throws: `usage` when it is no such address.
    package static func address(_ text: String, from place: String) throws(VoiceError) -> ServerAddress {
        try ServerAddress(text, from: place, like: "ws://localhost:8001", standardPath: path)
    }

    /// Connects, so that a server that is missing is noticed before the first session.
    ///
    /// - Parameters:
    ///   - addresses: where the servers are, in the order of the pool.
    ///   - pool: chooses among them; nil for one.
    ///   - voice: the servers' name for the voice; nil for their own choice.
    ///   - language: a tag like `en`; nil for the servers' choice.
    ///   - warn: told of a server that cannot be used, or not yet.
    /// - Throws: `unavailable` when none is ready in time, `usage` when none has the voice.
    package static func connect(
        to addresses: [ServerAddress],
        pool: ServerPool? = nil,
        voice: String? = nil,
        language: String? = nil,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(VoiceError) -> RemoteSynthesizer {
        try await connect(
            to: addresses,
            pool: pool,
            voice: voice,
            language: language,
            limits: .pool(of: addresses.count),
            clock: SystemClock(),
            warn: warn
        )
    }

    /// The same with limits and a clock.
    static func connect(
        to addresses: [ServerAddress],
        pool: ServerPool? = nil,
        voice: String?,
        language: String?,
        limits: RemoteSpeechLimits,
        clock: any SessionClock,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(VoiceError) -> RemoteSynthesizer {
        let servers = try VoiceServers(
            addresses,
            pool: pool,
            voice: voice,
            language: language,
            limits: limits,
            clock: clock,
            warn: warn
        )
        let rate = try await servers.prepare()
        let name = "remote \(servers.name)" + (voice.map { " \($0)" } ?? "")
        return RemoteSynthesizer(name: name, rate: rate, servers: servers)
    }

    private init(name: String, rate: SampleRate, servers: VoiceServers) {
        self.name = name
        sampleRate = rate
        self.servers = servers
    }

    /// Speaks `text`; see ``SpeechSynthesizer/speak(_:urgency:)``. Dropping the stream cancels the text on the server. One
    /// consumer. How pressing it is the server is not told.
    package func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        guard RemoteSpeech.hasWords(text) else { return AsyncThrowingStream { nil } }
        let speech = RemoteSpeech(text, by: servers, rate: sampleRate)
        return AsyncThrowingStream { try await speech.next() }
    }
}
