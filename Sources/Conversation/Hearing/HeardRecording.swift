internal import Synchronization
package import VoiceCore

/// What a session's ear makes of a recording: the borders of speech, with the times at which it is sure of them.
///
/// For measuring how turns are ended without waiting: the recording is heard in simulated time, in frames of 20 ms that
/// begin at zero, as if they arrived the moment they were recorded. Nobody answers.
package struct HeardRecording: Sendable {
    /// The microphone's frames: nothing else is known of a sound before its frame is complete.
    package static let frame = SampleRate.speech.samples(in: .milliseconds(20))

    /// The events for a ``TurnMachine``, in order.
    package private(set) var events: [(at: Duration, event: TurnMachine.Event)] = []
    /// Where the audio begins about which the turn detector is asked, if the turn never ends.
    package private(set) var turnStart: Int?

    /// Listens.
    /// - Parameters:
    ///   - samples: mono, 16 kHz, in [-1, 1].
    ///   - activity: the detector; a stream of its own is opened.
    ///   - configuration: when silence becomes speech and speech becomes silence.
    package init(
        _ samples: [Float],
        activity: any VoiceActivityDetector,
        configuration: ConversationConfiguration
    ) async throws(VoiceError) {
        let clock = ManualClock()
        let found = Mutex<[(Duration, TurnMachine.Event)]>([])
        let audio = TurnAudio()
        var ear = Ear(
            activity: try await activity.openStream(),
            gate: VoiceActivityGate(
                configuration: configuration.voiceActivity,
                windowLength: activity.windowLength
            ),
            audio: audio,
            recognition: Mailbox(capacity: 1, overflow: .dropOldest, clock: clock),
            audibleThreshold: configuration.audibleThreshold,
            loudspeaker: nil,
            clock: clock,
            report: { input in
                guard case .turn(let event) = input else { return }
                found.withLock { $0.append((clock.now, event)) }
            }
        )
        for start in stride(from: 0, to: samples.count, by: Self.frame) {
            let frame = Array(samples[start..<min(samples.count, start + Self.frame)])
            clock.advance(by: SampleRate.speech.duration(ofSamples: frame.count))
            try await ear.hear(AudioFrame(samples: frame, rate: .speech, position: start), agentIsSpeaking: false)
        }
        events = found.withLock { $0 }
        turnStart = audio.turnStart
    }
}
