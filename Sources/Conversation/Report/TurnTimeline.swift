internal import VoiceCore

/// The moments of one turn on the session's clock, and the tiles between them.
struct TurnTimeline: Sendable {
    var endpoint: TurnMachine.Endpoint?
    var transcript: Duration?
    var firstToken: Duration?
    var firstSegment: Duration?
    var firstAudio: Duration?
    var audible: Duration?

    /// First audible sample of the agent minus last speech sample of the person; nil if one is missing.
    var voiceToVoice: Double? {
        guard let endpoint, let audible else { return nil }
        return (audible - endpoint.lastSpeech).milliseconds
    }

    /// The tiles of ``voiceToVoice``; a moment that never was or lies before the one before it takes no time.
    var tiles: LatencyTiles? {
        guard let endpoint, let audible else { return nil }
        var at = endpoint.lastSpeech
        func tile(_ moment: Duration?) -> Double {
            let end = min(max(moment ?? at, at), audible)
            defer { at = end }
            return (end - at).milliseconds
        }
        return LatencyTiles(
            endpointWait: tile(endpoint.silenceConfirmed),
            turnDetection: tile(endpoint.committed),
            asrFinal: tile(transcript),
            llmFirstToken: tile(firstToken),
            llmFirstSegment: tile(firstSegment),
            ttsFirstAudio: tile(firstAudio),
            output: tile(audible)
        )
    }
}
