internal import CoreMetrics
internal import Conversation
internal import VoiceCore

/// What the agent's server counts of its conversations.
struct SessionMetrics: Sendable {
    private static let prefix = "voice_"

    private let factory: any MetricsFactory
    private let active: Meter
    private let reserved: Meter
    private let capacity: Meter
    private let load: Meter
    private let utilisation: Meter
    private let draining: Meter
    private let voiceToVoice: Timer
    private let final: Timer
    private let firstToken: Timer
    private let firstAudio: Timer
    private let interruptions: Counter
    private let underruns: Counter
    private let lost: Counter
    private let resumed: Counter

    /// Makes all numbers that need no label, so that they stand at zero from the start.
    init(factory: any MetricsFactory) {
        func meter(_ name: String) -> Meter { Meter(label: Self.prefix + name, dimensions: [], factory: factory) }
        func counter(_ name: String) -> Counter { Counter(label: Self.prefix + name, dimensions: [], factory: factory) }
        func timer(_ name: String) -> Timer {
            Timer(label: Self.prefix + name, dimensions: [], preferredDisplayUnit: .seconds, factory: factory)
        }
        self.factory = factory
        active = meter("sessions_active")
        reserved = meter("sessions_reserved")
        capacity = meter("sessions_capacity")
        load = meter("load")
        utilisation = meter("scheduler_utilisation")
        draining = meter("draining")
        voiceToVoice = timer("v2v_seconds")
        final = timer("asr_final_seconds")
        firstToken = timer("llm_first_token_seconds")
        firstAudio = timer("tts_first_audio_seconds")
        interruptions = counter("interruptions_total")
        underruns = counter("playout_underruns_total")
        lost = counter("sessions_lost_total")
        resumed = counter("sessions_resumed_total")
    }

    /// Notes the state of the moment.
    func note(_ counts: AdmissionMachine.Counts, level: Double, utilisation: Double, isDraining: Bool) {
        active.set(counts.active)
        reserved.set(counts.reserved)
        capacity.set(counts.maximum)
        load.set(level)
        self.utilisation.set(utilisation)
        draining.set(isDraining ? 1 : 0)
    }

    /// Notes that a conversation began, or went on after its connection was lost.
    func began(kind: String, returns: Bool) {
        count("sessions_total", "kind", kind)
        if returns { resumed.increment() }
    }

    /// Notes that somebody was turned away.
    func refused(_ refusal: Refusal) { count("rejects_total", "reason", refusal.reason) }

    /// Notes that a conversation was claimed by another connection.
    func wasContinuedElsewhere() { lost.increment() }

    /// Notes a finished turn.
    func note(_ turn: TurnReport) {
        count("turns_total", "speculation", turn.speculation.rawValue)
        if turn.interrupted { interruptions.increment() }
        if let time = turn.voiceToVoice { voiceToVoice.recordMilliseconds(time) }
        guard let tiles = turn.tiles else { return }
        final.recordMilliseconds(tiles.asrFinal)
        firstToken.recordMilliseconds(tiles.llmFirstToken)
        firstAudio.recordMilliseconds(tiles.ttsFirstAudio)
    }

    /// Notes what a conversation was like.
    func note(_ report: ConversationReport) { underruns.increment(by: report.summary.playout.underruns) }

    private func count(_ name: String, _ label: String, _ value: String) {
        Counter(label: Self.prefix + name, dimensions: [(label, value)], factory: factory).increment()
    }
}
