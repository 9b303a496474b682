internal import CoreMetrics
internal import VoiceCore

/// What a synthesis server counts. The names are in `docs/tts-server.md`.
struct SynthesisMetrics: Sendable {
    /// How a client came.
    enum Way: String, Sendable { case webSocket = "websocket", http }

    private let factory: any MetricsFactory
    private let open: Meter
    private let audio: FloatingPointCounter
    private let dropped: FloatingPointCounter
    private let work: FloatingPointCounter
    private let firstAudio: Timer
    private let cancels: Counter

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    init(factory: any MetricsFactory) {
        self.factory = factory
        open = Meter(label: "voice_tts_open_sessions", dimensions: [], factory: factory)
        audio = FloatingPointCounter(label: "voice_tts_audio_seconds_total", dimensions: [], factory: factory)
        dropped = FloatingPointCounter(label: "voice_tts_dropped_audio_seconds_total", dimensions: [], factory: factory)
        work = FloatingPointCounter(label: "voice_tts_synthesis_seconds_total", dimensions: [], factory: factory)
        firstAudio = Timer(label: "voice_tts_first_audio_seconds", dimensions: [], factory: factory)
        cancels = Counter(label: "voice_tts_cancels_total", dimensions: [], factory: factory)
    }

    /// Notes that a session began.
    func began(_ way: Way) {
        open.increment()
        count("voice_tts_sessions_total", "kind", way.rawValue)
    }

    /// Notes that a session ended.
    func ended() { open.decrement() }

    /// Notes that somebody was turned away.
    func refused(_ way: Way) { count("voice_tts_rejects_total", "kind", way.rawValue) }

    /// Notes audio that a voice made, and the time it took; waiting for the client is no part of that.
    func made(_ duration: Duration, in time: Duration) {
        audio.increment(by: duration.milliseconds / 1000)
        work.increment(by: time.milliseconds / 1000)
    }

    /// Notes that what was being spoken was cancelled, and the audio that was made for nothing.
    func cancelled(dropping duration: Duration) {
        cancels.increment()
        dropped.increment(by: duration.milliseconds / 1000)
    }

    /// Notes the time from the arrival of a text to its first audio.
    func spoke(after latency: Duration) { firstAudio.recordNanoseconds(Int64(latency.milliseconds * 1e6)) }

    /// Notes an error that a client was told of.
    func failed(_ code: VoiceError.Code) { count("voice_tts_errors_total", "code", code.description) }

    private func count(_ name: String, _ label: String, _ value: String) {
        Counter(label: name, dimensions: [(label, value)], factory: factory).increment()
    }
}
