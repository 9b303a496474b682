internal import Conversation
internal import VoiceCore

/// The settings of all rules for the end of a turn, and which one is followed.
struct EndpointSettings: Sendable {
    /// A rule for the end of a turn, as it is written in the settings.
    enum Rule: String, CaseIterable, Sendable {
        case adaptive, verdict, silence
    }

    var rule = Rule.adaptive
    var adaptive = AdaptiveWait()
    var completeProbability: Float = 0.5
    var incompleteTimeout = Duration.seconds(3)
    var silence = Duration.milliseconds(800)

    /// The rule that is followed, with its values.
    /// - Throws: ``VoiceError/Code/usage`` when the adaptive waits do not rise.
    func policy() throws(VoiceError) -> EndpointPolicy {
        guard adaptive.earliest <= adaptive.normal, adaptive.normal <= adaptive.longest else {
            let waits = [adaptive.earliest, adaptive.normal, adaptive.longest].map { "\(Int($0.milliseconds))" }
            throw VoiceError(
                .usage,
                "'turn_taking.earliest_ms', 'normal_ms' and 'longest_ms' must rise, but are "
                    + waits.joined(separator: ", ")
            )
        }
        return switch rule {
        case .adaptive: .adaptive(adaptive)
        case .verdict: .verdict(complete: completeProbability, timeout: incompleteTimeout)
        case .silence: .silence(silence)
        }
    }
}
