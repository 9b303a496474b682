internal import VoiceCore

/// A transport whose finished turns are counted on their way to the person.
struct MeasuredTransport: Transport {
    let carrier: any Transport
    let metrics: SessionMetrics

    var events: AsyncStream<TransportEvent> { carrier.events }
    var playoutRate: SampleRate { carrier.playoutRate }
    var playoutLead: Duration? { carrier.playoutLead }
    var executor: (any SessionExecutor)? { carrier.executor }

    func send(_ message: TransportMessage) async throws(VoiceError) {
        if case .event(.turnReport(let turn)) = message { metrics.note(turn) }
        try await carrier.send(message)
    }
}
