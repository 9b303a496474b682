internal import CoreMetrics
internal import VoiceCore

/// What a recognition server counts. The names are in `docs/asr-server.md`.
struct RecognitionMetrics: Sendable {
    /// How a client came.
    enum Way: String, Sendable { case webSocket = "websocket", http }

    private let factory: any MetricsFactory
    private let open: Meter
    private let audio: FloatingPointCounter
    private let dropped: FloatingPointCounter
    private let finalLatency: Timer

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    init(factory: any MetricsFactory) {
        self.factory = factory
        open = Meter(label: "voice_asr_open_sessions", dimensions: [], factory: factory)
        audio = FloatingPointCounter(label: "voice_asr_audio_seconds_total", dimensions: [], factory: factory)
        dropped = FloatingPointCounter(label: "voice_asr_dropped_audio_seconds_total", dimensions: [], factory: factory)
        finalLatency = Timer(label: "voice_asr_final_latency_seconds", dimensions: [], factory: factory)
    }

    /// Notes that a session began.
    func began(_ way: Way) {
        open.increment()
        count("voice_asr_sessions_total", "kind", way.rawValue)
    }

    /// Notes that a session ended.
    func ended() { open.decrement() }

    /// Notes that somebody was turned away.
    func refused(_ way: Way) { count("voice_asr_rejects_total", "kind", way.rawValue) }

    /// Notes audio that went to the recogniser.
    func heard(_ duration: Duration) { audio.increment(by: duration.milliseconds / 1000) }

    /// Notes audio that was received and will not be recognised, because its session ended first.
    func gaveUp(_ duration: Duration) { dropped.increment(by: duration.milliseconds / 1000) }

    /// Notes the time from the arrival of a request for a final transcript until that was on its way.
    func finished(after latency: Duration) { finalLatency.recordNanoseconds(Int64(latency.milliseconds * 1e6)) }

    /// Notes an error that a client was told of.
    func failed(_ code: VoiceError.Code) { count("voice_asr_errors_total", "code", code.description) }

    private func count(_ name: String, _ label: String, _ value: String) {
        Counter(label: name, dimensions: [(label, value)], factory: factory).increment()
    }
}
