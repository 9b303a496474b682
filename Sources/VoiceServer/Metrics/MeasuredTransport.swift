internal import VoiceCore

/// A transport whose finished turns are counted on their way to the person, and whose silence is noticed.
struct MeasuredTransport: Transport {
    let carrier: any Transport
    let metrics: SessionMetrics
    let quiet: QuietMoments

    var events: AsyncStream<TransportEvent> { carrier.events }
    var playoutRate: SampleRate { carrier.playoutRate }
    var playoutLead: Duration? { carrier.playoutLead }
    var executor: (any SessionExecutor)? { carrier.executor }

    func rest(_ isResting: Bool) { carrier.rest(isResting) }

    func send(_ message: TransportMessage) async throws(VoiceError) {
        quiet.note()
        if case .event(.turnReport(let turn)) = message { metrics.note(turn) }
        try await carrier.send(message)
    }
}
