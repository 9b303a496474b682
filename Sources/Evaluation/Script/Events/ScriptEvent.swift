package import VoiceCore

/// Something that the agent did, as scenarios call it.
package struct ScriptEvent: Sendable, Equatable {
    /// The names of Pipecat 1.14, `evals/events.py`.
    package enum Kind: String, Sendable, CaseIterable {
        case userStartedSpeaking = "user_started_speaking"
        case userStoppedSpeaking = "user_stopped_speaking"
        case vadUserStartedSpeaking = "vad_user_started_speaking"
        case vadUserStoppedSpeaking = "vad_user_stopped_speaking"
        case userTranscription = "user_transcription"
        case userBackchannel = "user_backchannel"
        case botStartedSpeaking = "bot_started_speaking"
        case botStoppedSpeaking = "bot_stopped_speaking"
        case botInterrupted = "bot_interrupted"
        case botBackchannel = "bot_backchannel"
        case botEnded = "bot_ended"
        case llmStarted = "llm_started"
        case llmResponse = "llm_response"
        case llmMarker = "llm_marker"
        case ttsResponse = "tts_response"
        case response
        case functionCall = "function_call"
        case functionCallStopped = "function_call_stopped"
        case image

        /// Calls are matched by name and arguments instead of text.
        var isCall: Bool { self == .functionCall || self == .functionCallStopped }
    }

    /// What it is.
    package var kind: Kind
    /// When it was noticed, on the runner's clock.
    package var at: Duration
    /// Its words, if it has any.
    package var text = ""
    /// The function of a call.
    package var name: String?
    /// The arguments of a call, or how it ended: `tool_call_id` and `cancelled`.
    package var arguments: JSONObject?

    /// A call with its arguments, or the text.
    package var summary: String {
        guard kind.isCall else { return text.trimmed }
        let list = (arguments ?? JSONObject()).map { "\($0.key)=\($0.value.json)" }.joined(separator: ", ")
        return "\(name ?? "?")(\(list))"
    }
}
