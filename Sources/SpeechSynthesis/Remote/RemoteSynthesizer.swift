internal import NIOPosix
internal import NIOSSL
internal import Synchronization
package import VoiceCore
package import WebSocketClient

/// A voice on a server that speaks the protocol of pipecat-ai/nemotron-january-2026, behind ``SpeechSynthesizer``.
///
/// A text is a stream of the server's on a connection that no other text uses meanwhile; a few connections are kept. When one
/// is lost before a text's first audio, the text is sent again over a new one, so a server may be restarted under a running
/// agent. Words have times where the server tells them, as Repartee's own does.
package final class RemoteSynthesizer: SpeechSynthesizer {
    /// `remote`, the server's address, and the voice if one was chosen.
    package let name: String
    /// The rate of the server's voice; 22 050 Hz for a server that tells none.
    package let sampleRate: SampleRate

    private let makeLine: @Sendable (SampleRate) -> SpeechLine
    private let idleLimit: Int
    private let idle: Mutex<[SpeechLine]>

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
    ///   - address: where the server is.
    ///   - voice: the server's name for the voice; nil for its own choice.
    ///   - language: a tag like `en`; nil for the server's choice.
    /// - Throws: `unavailable` when it is not ready in time, `usage` when it does not have the voice.
    package static func connect(
        to address: ServerAddress,
        voice: String? = nil,
        language: String? = nil
    ) async throws(VoiceError) -> RemoteSynthesizer {
        try await connect(
            to: address,
            voice: voice,
            language: language,
            limits: RemoteSpeechLimits(),
            clock: SystemClock()
        )
    }

    /// The same with limits and a clock.
    static func connect(
        to address: ServerAddress,
        voice: String?,
        language: String?,
        limits: RemoteSpeechLimits,
        clock: any SessionClock
    ) async throws(VoiceError) -> RemoteSynthesizer {
        let tls = try WebSocketLink.tls(for: address)
        let makeLine = { @Sendable (rate: SampleRate) in
            SpeechLine(
                machine: RemoteSpeechMachine(place: "\(address)", voice: voice, language: language, limits: limits),
                rate: rate,
                link: WebSocketLink(
                    address: address,
                    limits: WebSocketLink.Limits(
                        connect: limits.connect,
                        messageBytes: limits.messageBytes,
                        messages: limits.messages,
                        overflow: .hold
                    ),
                    tls: tls,
                    group: MultiThreadedEventLoopGroup.singleton,
                    clock: clock
                ),
                clock: clock
            )
        }
        let line = makeLine(RemoteSpeechMachine.referenceRate)
        let rate = try await line.prepare()
        let name = "remote \(address)" + (voice.map { " \($0)" } ?? "")
        return RemoteSynthesizer(name: name, rate: rate, idleLimit: limits.idleLines, line: line, makeLine: makeLine)
    }

    private init(
        name: String,
        rate: SampleRate,
        idleLimit: Int,
        line: SpeechLine,
        makeLine: @escaping @Sendable (SampleRate) -> SpeechLine
    ) {
        self.name = name
        sampleRate = rate
        self.idleLimit = idleLimit
        self.makeLine = makeLine
        idle = Mutex([line])
    }

    /// Speaks `text`; see ``SpeechSynthesizer/speak(_:urgency:)``. Dropping the stream cancels the text on the server. One
    /// consumer. How pressing it is the server is not told.
    package func speak(_ text: String, urgency: Urgency) -> AsyncThrowingStream<SpeechChunk, any Error> {
        // The reference's server does not answer a text that is blank once it has taken the emoji out.
        guard text.contains(where: { $0.isLetter || $0.isNumber }) else { return AsyncThrowingStream { nil } }
        let speech = RemoteSpeech(text, of: self)
        return AsyncThrowingStream { try await speech.next() }
    }

    /// A connection that nobody uses, or a new one.
    func takeLine() -> SpeechLine { idle.withLock { $0.popLast() } ?? makeLine(sampleRate) }

    /// Gives back a connection that is ready for another text.
    func giveBack(_ line: SpeechLine) {
        idle.withLock { idle in
            if idle.count < idleLimit { idle.append(line) }
        }
    }
}

/// One text being spoken on a server. When its consumer drops it, the server is told to stop.
private final class RemoteSpeech: Sendable {
    private enum State {
        case fresh(String)
        case speaking(SpeechLine)
        case over
    }

    private let voice: RemoteSynthesizer
    private let state: Mutex<State>

    init(_ text: String, of voice: RemoteSynthesizer) {
        self.voice = voice
        state = Mutex(.fresh(text))
    }

    deinit {
        guard case .speaking(let line) = state.withLock({ $0 }) else { return }
        line.abandon()
        voice.giveBack(line)
    }

    /// The next chunk, or nil after the last one and after cancellation. One caller at a time.
    func next() async throws(VoiceError) -> SpeechChunk? {
        guard let line = line() else { return nil }
        let chunk: SpeechChunk?
        do {
            chunk = try await line.next()
        } catch {
            // The connection may be of no use any more.
            state.withLock { $0 = .over }
            throw error
        }
        guard chunk == nil, !Task.isCancelled else { return chunk }
        state.withLock { $0 = .over }
        voice.giveBack(line)
        return nil
    }

    private func line() -> SpeechLine? {
        switch state.withLock({ $0 }) {
        case .over: return nil
        case .speaking(let line): return line
        case .fresh(let text):
            let line = voice.takeLine()
            state.withLock { $0 = .speaking(line) }
            line.begin(text)
            return line
        }
    }
}
