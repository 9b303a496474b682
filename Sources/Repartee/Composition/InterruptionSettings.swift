internal import Conversation

/// The settings of what the person's voice does to a reply that is being played.
struct InterruptionSettings: Sendable {
    /// How an interruption is told from a mere sound, as it is written in the settings.
    enum Rule: String, CaseIterable, Sendable {
        case considered, immediate
    }

    var isAllowed = true
    var rule = Rule.considered
    var considered = InterruptionPolicy.Consideration()

    /// What is done, with its values.
    var policy: InterruptionPolicy {
        guard isAllowed else { return .never }
        return switch rule {
        case .considered: .considered(considered)
        case .immediate: .immediate
        }
    }
}
