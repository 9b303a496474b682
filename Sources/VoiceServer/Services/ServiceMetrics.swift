internal import CoreMetrics
internal import VoiceCore

/// What every server of an engine counts; each adds numbers of its own.
struct ServiceMetrics: Sendable {
    /// How a client came.
    enum Way: String, Sendable { case webSocket = "websocket", http }

    private let prefix: String
    private let factory: any MetricsFactory
    private let open: Meter
    private let audio: FloatingPointCounter?
    private let dropped: FloatingPointCounter?

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    /// - Parameters:
    ///   - engine: what the names have behind `voice_`, such as `asr`.
    ///   - countsAudio: whether the engine hears or makes any.
    init(_ engine: String, countsAudio: Bool = true, factory: any MetricsFactory) {
        let prefix = "voice_\(engine)_"
        func seconds(_ name: String) -> FloatingPointCounter? {
            countsAudio ? FloatingPointCounter(label: prefix + name, dimensions: [], factory: factory) : nil
        }
        self.prefix = prefix
        self.factory = factory
        open = Meter(label: prefix + "open_sessions", dimensions: [], factory: factory)
        audio = seconds("audio_seconds_total")
        dropped = seconds("dropped_audio_seconds_total")
    }

    /// Notes that a session began.
    func began(_ way: Way) {
        open.increment()
        count("sessions_total", "kind", way.rawValue)
    }

    /// Notes that a session ended.
    func ended() { open.decrement() }

    /// Notes that somebody was turned away.
    func refused(_ way: Way) { count("rejects_total", "kind", way.rawValue) }

    /// Notes audio that the engine heard or made.
    func worked(on duration: Duration) { audio?.increment(by: duration.milliseconds / 1000) }

    /// Notes audio that came or was made for nothing.
    func dropped(_ duration: Duration) { dropped?.increment(by: duration.milliseconds / 1000) }

    /// Notes an error that a client was told of.
    func failed(_ code: VoiceError.Code) { count("errors_total", "code", code.description) }

    private func count(_ name: String, _ label: String, _ value: String) {
        Counter(label: prefix + name, dimensions: [(label, value)], factory: factory).increment()
    }
}
