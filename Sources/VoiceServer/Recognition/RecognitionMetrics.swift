internal import CoreMetrics
internal import VoiceCore

/// What a recognition server counts. The names are in `docs/asr-server.md`.
struct RecognitionMetrics: Sendable {
    /// Sessions, refusals, errors; audio that went to the recogniser, and that was received and will not be recognised, because its
    /// session ended first.
    let service: ServiceMetrics
    private let finalLatency: Timer

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    init(factory: any MetricsFactory) {
        service = ServiceMetrics("asr", factory: factory)
        finalLatency = Timer(label: "voice_asr_final_latency_seconds", dimensions: [], factory: factory)
    }

    /// Notes the time from the arrival of a request for a final transcript until that was on its way.
    func finished(after latency: Duration) { finalLatency.recordNanoseconds(Int64(latency.milliseconds * 1e6)) }
}
