internal import Audio
internal import Conversation
internal import Logging
internal import Transports
internal import VoiceCore

/// One conversation in which the person makes a sound over the agent's greeting, in simulated time.
struct InterruptionTrial {
    /// Times that the agent fell silent because of the microphone.
    let pauses: Int
    /// Replies that were ended.
    let ends: Int
    /// Milliseconds from the sound's first sample until the agent was silent; nil if it was not.
    let silent: Double?
    /// The same until its reply was ended.
    let decided: Double?
    /// What of the greeting was heard.
    let heard: String
    /// The agent's voice of the greeting, 16 kHz.
    let agentUntilEnd: [Float]
    /// What was understood, or why the sound was no interruption.
    let understood: String

    /// Has the conversation.
    ///
    /// - Parameters:
    ///   - sound: what the person does; nil for nothing.
    ///   - at: when; without a sound, the length of the conversation.
    ///   - echo: the impulse response from loudspeaker to microphone.
    init(
        _ sound: SpokenOver?,
        at time: Duration,
        echo: [Float],
        _ engines: Engines,
        _ configuration: ConversationConfiguration,
        _ logger: Logger
    ) async throws {
        let clock = ManualClock(isSelfDriving: true)
        var configuration = configuration
        configuration.greeting = Self.greeting(of: time + .seconds(8))
        let first = SampleRate.speech.samples(in: time)
        // The room is never quite silent: -66 dB.
        var person = UnspokenSound(kind: .white, level: -66).samples(
            seconds: Int(time.milliseconds / 1000) + 5,
            seed: 3
        )
        for (index, sample) in (sound?.samples ?? []).enumerated() { person[first + index] += sample }
        let room = RoomTransport(person: person, echo: echo, clock: clock)
        let conversation = Conversation(engines: engines, configuration: configuration, clock: clock, logger: logger)
        _ = try await conversation.run(over: room)

        let happenings = room.happenings
        let silences = happenings.filter { $0.message == .pause(epoch: 1) || $0.message == .cut(epoch: 1) }
        // The session's end cuts what is still being said; that is no interruption.
        let end = happenings.first { $0.message == .cut(epoch: 1) }?.at
        let wasEnded = happenings.contains {
            if case .event(.userSpeaking(true)) = $0.message { true } else { false }
        }
        pauses = happenings.count { $0.message == .pause(epoch: 1) }
        ends = wasEnded ? 1 : 0
        silent = silences.first { $0.at >= time && (wasEnded || $0.message == .pause(epoch: 1)) }
            .map { ($0.at - time).milliseconds }
        decided = wasEnded ? end.map { ($0 - time).milliseconds } : nil
        heard =
            happenings.lazy.compactMap { happening -> String? in
                guard case .event(.agentTranscript(0, let heard, _, true, _)) = happening.message else { return nil }
                return heard
            }.first ?? ""
        let voice = room.recording.channels().agent
        agentUntilEnd = Array(voice.prefix(end.map { SampleRate.speech.samples(in: $0) } ?? voice.count))
        understood =
            happenings.lazy.compactMap { happening -> String? in
                switch happening.message {
                case .event(.turnDropped(_, let reason)): reason
                case .event(.userTranscript(_, let text, true)): text
                default: nil
                }
            }.first ?? ""
    }

    /// Text that takes at least so long to speak: about 5 s for each of the ten long sentences.
    private static func greeting(of length: Duration) -> String {
        let sentences = BenchmarkUtterances.long.map { $0 + "." }
        let count = Int(length.milliseconds / 4000) + 1
        return (0..<count).map { sentences[$0 % sentences.count] }.joined(separator: " ")
    }
}
