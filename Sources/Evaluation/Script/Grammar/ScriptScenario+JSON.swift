package import VoiceCore

/// What was read, with the names and the form of Pipecat's own values (`dataclasses.asdict` of `EvalScriptScenario`), so that both can
/// be compared.
extension ScriptScenario {
    /// The scenario.
    package var json: JSONValue {
        [
            "name": .string(name), "turns": .array(turns.map(\.json)), "context": .array(context), "judge": judge,
            "bot_audio": .bool(agentSpeaks), "transcriber": transcriber ?? .null, "user_audio": .bool(personSpeaks),
            "user_speech": voice ?? .null, "trigger_disconnect": .bool(triggersDisconnect),
            "stop_on_failure": .bool(stopsOnFailure),
        ]
    }
}

extension JSONValue {
    fileprivate init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
    fileprivate init(_ whole: Int?) { self = whole.map { .number(Double($0)) } ?? .null }
    fileprivate init(_ flag: Bool?) { self = flag.map(JSONValue.bool) ?? .null }
}

extension ScriptTurn {
    fileprivate var json: JSONValue {
        let after: JSONValue? = sendAfter.map {
            ["event": JSONValue($0.event?.rawValue), "delay_ms": .number(Double($0.delay))]
        }
        return [
            "user": JSONValue(user), "parts": parts.map { .array($0.map(\.json)) } ?? .null,
            "audio": JSONValue(recording),
            "dtmf": JSONValue(keys), "image": JSONValue(image), "send_after": after ?? .null,
            "expect": .array(expect.map(\.json)),
        ]
    }
}

extension ScriptTurn.Part {
    fileprivate var json: JSONValue {
        switch self {
        case .speech(let text): .string(text)
        case .pause(let milliseconds): .number(Double(milliseconds))
        }
    }
}

extension ScriptExpectation {
    fileprivate var json: JSONValue {
        [
            "event": .string(event.rawValue), "within_ms": JSONValue(within), "text_contains": JSONValue(contains),
            "text_excludes": JSONValue(excludes), "calls": calls.map { .array($0.map(\.json)) } ?? .null,
            "eval": JSONValue(criterion), "marker": JSONValue(marker.meaning),
            "marker_first": JSONValue(marker.isFirst), "markers": JSONValue(marker.count),
            "text_after": JSONValue(marker.hasTextAfter), "check_from": .string(origin.rawValue),
            "absent": .bool(isAbsent),
        ]
    }
}

extension ScriptExpectation.Call {
    fileprivate var json: JSONValue {
        ["name": JSONValue(name), "args": arguments.map(JSONValue.object) ?? .null]
    }
}
