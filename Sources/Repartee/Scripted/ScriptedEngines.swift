internal import ArgumentParser
internal import Conversation
internal import VoiceCore

/// Which engines an agent has.
enum EngineChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Models that compute.
    case models
    /// Engines that compute nothing and take their time all the same: for measuring and testing everything else.
    case scripted
}

extension Engines {
    /// Engines that compute nothing and take their time on `clock`.
    static func scripted(_ costs: ScriptedCosts = ScriptedCosts(), clock: any SessionClock) -> Engines {
        Engines(
            voiceActivity: ScriptedActivity(),
            turnDetector: ScriptedVerdicts(clock: clock, cost: costs.verdict),
            recognizer: ScriptedHearing(clock: clock, cost: costs.finalTranscript),
            languageModel: ScriptedThinking(clock: clock, costs: costs),
            synthesizer: ScriptedSpeaking(clock: clock, costs: costs)
        )
    }
}
