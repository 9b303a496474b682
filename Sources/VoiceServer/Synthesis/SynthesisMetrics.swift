internal import CoreMetrics
internal import VoiceCore

/// What a synthesis server counts. The names are in `docs/tts-server.md`.
struct SynthesisMetrics: Sendable {
    /// Sessions, refusals, errors; audio that a voice made.
    let service: ServiceMetrics
    private let work: FloatingPointCounter
    private let firstAudio: Timer
    private let cancels: Counter

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    init(factory: any MetricsFactory) {
        service = ServiceMetrics("tts", factory: factory)
        work = FloatingPointCounter(label: "voice_tts_synthesis_seconds_total", dimensions: [], factory: factory)
        firstAudio = Timer(label: "voice_tts_first_audio_seconds", dimensions: [], factory: factory)
        cancels = Counter(label: "voice_tts_cancels_total", dimensions: [], factory: factory)
    }

    /// Notes audio that a voice made, and the time it took; waiting for the client is no part of that.
    func made(_ duration: Duration, in time: Duration) {
        service.worked(on: duration)
        work.increment(by: time.milliseconds / 1000)
    }

    /// Notes that what was being spoken was cancelled, and the audio that was made for nothing.
    func cancelled(dropping duration: Duration) {
        cancels.increment()
        service.dropped(duration)
    }

    /// Notes the time from the arrival of a text to its first audio.
    func spoke(after latency: Duration) { firstAudio.recordNanoseconds(Int64(latency.milliseconds * 1e6)) }
}
