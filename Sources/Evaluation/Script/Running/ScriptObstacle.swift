internal import VoiceCore

extension ScriptScenario {
    /// Where an agent is.
    package enum Place: Sendable {
        /// In this process.
        case here
        /// On a server that may be anybody's.
        case server
    }

    /// Why it cannot be played with an agent there; nil if it can.
    package func obstacle(_ place: Place) -> String? {
        let silent: Set<ScriptEvent.Kind> = [
            .vadUserStartedSpeaking, .vadUserStoppedSpeaking, .llmMarker, .image, .botBackchannel, .userBackchannel,
        ]
        // A Pipecat bot tells of the others where it was set up to; of these two in messages that only its own harness asks for.
        let unknown = place == .here ? silent : [.llmMarker, .image]
        if let event = events.first(where: unknown.contains) { return "the agent never tells of \(event.rawValue)" }
        if turns.contains(where: { $0.image != nil }) { return "the agent takes no pictures" }
        guard !context.isEmpty else { return nil }
        if place == .server { return "'context' cannot be given to an agent on a server" }
        return instructions == nil ? "'context' may be one system message; earlier turns cannot be given" : nil
    }

    /// The one system message of the context.
    var instructions: String? {
        guard context.count == 1, ["system", "developer"].contains(context[0]["role"]?.text) else { return nil }
        return context[0]["content"]?.text
    }
}
