internal import VoiceCore

extension RTVIServerMessage {
    /// The message as JSON text; nil for a client that does not know it.
    ///
    /// - Parameter version: what the client speaks.
    package func json(for version: RTVIVersion) -> String? {
        switch self {
        case .userInput, .raw: guard version.knowsUserInput else { return nil }
        default: break
        }
        guard let (type, data) = content(for: version) else { return nil }
        let message: JSONValue = [
            "label": .string(RTVIClientMessage.label), "type": .string(type), "id": id.map(JSONValue.string),
            "data": data,
        ]
        return message.json
    }

    /// The id of the message that this one answers.
    private var id: String? {
        switch self {
        case .ready(let id, _, _), .errorResponse(let id, _), .response(let id, _, _): id
        default: nil
        }
    }

    /// Type and data.
    private func content(for version: RTVIVersion) -> (String, JSONValue?)? {
        switch self {
        case .ready(_, let version, let about): return ("bot-ready", Self.ready(version, about))
        case .error(let text, let isFatal): return ("error", ["error": .string(text), "fatal": .bool(isFatal)])
        case .errorResponse(_, let text): return ("error-response", ["error": .string(text)])
        case .message(let data): return ("server-message", data)
        case .response(_, let type, let data): return ("server-response", ["t": .string(type), "d": data])
        case .userSpeaking(let speaks): return (speaks ? "user-started-speaking" : "user-stopped-speaking", nil)
        case .userVoice(let speaks): return (speaks ? "vad-user-started-speaking" : "vad-user-stopped-speaking", nil)
        case .userMuted(let isMuted): return (isMuted ? "user-mute-started" : "user-mute-stopped", nil)
        case .userTranscription(let input): return ("user-transcription", Self.transcription(input))
        case .userInput(let input): return ("user-input", Self.input(input))
        case .userLLMText(let text): return ("user-llm-text", Self.text(text))
        case .botSpeaking(let speaks): return (speaks ? "bot-started-speaking" : "bot-stopped-speaking", nil)
        case .botInterrupted: return ("bot-interrupted", nil)
        case .botOutput(let output): return ("bot-output", version.isLegacy ? output.legacy : output.content)
        case .botLLM(let isBusy): return (isBusy ? "bot-llm-started" : "bot-llm-stopped", nil)
        case .botTTS(let isBusy): return (isBusy ? "bot-tts-started" : "bot-tts-stopped", nil)
        case .botLLMText(let text): return ("bot-llm-text", Self.text(text))
        case .botTTSText(let text): return ("bot-tts-text", Self.text(text))
        case .botTranscription(let text): return ("bot-transcription", Self.text(text))
        case .raw(let raw): return Self.raw(raw)
        default: return rareContent
        }
    }

    /// Type and data of what this agent has no use for by itself.
    private var rareContent: (String, JSONValue?)? {
        switch self {
        case .botLLMMarker(let text, let kind, let raw, let markers):
            let markers = JSONValue.array(markers.map(JSONValue.string))
            return (
                "bot-llm-marker",
                ["text": .string(text), "kind": kind.map(JSONValue.string), "raw": .string(raw), "markers": markers]
            )
        case .functionStarted(let name):
            return ("llm-function-call-started", ["function_name": name.map(JSONValue.string)])
        case .functionInProgress(let call, let name, let arguments):
            return (
                "llm-function-call-in-progress",
                ["tool_call_id": .string(call), "function_name": name.map(JSONValue.string), "arguments": arguments]
            )
        case .functionStopped(let call, let isCancelled, let name, let result):
            return (
                "llm-function-call-stopped",
                [
                    "tool_call_id": .string(call), "cancelled": .bool(isCancelled),
                    "function_name": name.map(JSONValue.string), "result": result,
                ]
            )
        case .botTTSAudio(let base64, let rate, let channels):
            return (
                "bot-tts-audio",
                [
                    "audio": .string(base64), "sample_rate": .number(Double(rate)),
                    "num_channels": .number(Double(channels)),
                ]
            )
        case .metrics(let data): return ("metrics", data)
        case .userAudioLevel(let level): return ("user-audio-level", ["value": .number(level)])
        case .botAudioLevel(let level): return ("bot-audio-level", ["value": .number(level)])
        case .systemLog(let text): return ("system-log", Self.text(text))
        case .uiCommand(let command, let payload):
            return ("ui-command", ["command": .string(command), "payload": payload])
        case .uiJobGroup(let data): return ("ui-job-group", data)
        default: return nil
        }
    }

    private static func ready(_ version: RTVIVersion, _ about: RTVIAbout) -> JSONValue {
        let about: JSONValue = ["library": .string(about.library), "library_version": .string(about.version)]
        let capabilities: JSONValue = [
            "audio_in": true, "audio_out": true, "video_in": false, "screen_in": false, "video_out": false,
            "metrics": true,
        ]
        return ["version": .string("\(version)"), "about": about, "capabilities": capabilities]
    }

    private static func text(_ text: String) -> JSONValue { ["text": .string(text)] }

    /// The person has no name here: Pipecat leaves it empty as well where a transport knows none.
    private static func transcription(_ input: UserInput) -> JSONValue {
        [
            "text": .string(input.text), "user_id": "", "timestamp": .string(input.timestamp),
            "final": .bool(input.isFinal),
        ]
    }

    private static func input(_ input: UserInput) -> JSONValue {
        [
            "text": .string(input.text), "input_type": .string(input.kind.rawValue),
            "timestamp": .string(input.timestamp), "final": .bool(input.isFinal),
            "msg_id": input.message.map(JSONValue.string),
        ]
    }

    private static func raw(_ raw: RawText) -> (String, JSONValue?) {
        switch raw {
        case .recognised(let input): ("stt-raw-text", transcription(input))
        case .generated(let text): ("llm-raw-text", Self.text(text))
        case .spoken(let text): ("tts-raw-text", Self.text(text))
        }
    }
}

extension RTVIServerMessage.BotOutput {
    /// The form of version 2. Clients of 2.1 read `aggregated_by`, those of 2.2 `output_type`.
    fileprivate var content: JSONValue {
        let kind: JSONValue = "sentence"
        let rest = String(text.dropFirst(heard.count))
        return [
            "text": .string(text), "output_type": kind, "text_type": kind, "aggregated_by": kind,
            "segment_id": .number(Double(segment)), "will_be_spoken": .bool(isSpoken),
            "spoken_status": .string(status.rawValue),
            "spoken_progress": isSpoken
                ? ["accumulated_text": .string(heard), "remaining_text": .string(rest)] : nil,
        ]
    }

    /// The form of version 1: a sentence before it is spoken, then its words.
    fileprivate var legacy: JSONValue {
        ["text": .string(text), "aggregated_by": status == .new ? "sentence" : "word", "spoken": .bool(status != .new)]
    }
}
