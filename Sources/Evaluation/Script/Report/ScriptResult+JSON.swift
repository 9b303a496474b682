package import VoiceCore

/// The report's form; docs/eval-scripts.md lists the keys.
extension ScriptResult {
    /// The result.
    package var json: JSONValue {
        var skipped: JSONValue?
        if case .skipped(let reason) = status { skipped = .string(reason) }
        return [
            "name": .string(name), "file": .string(file), "run": .number(Double(run)), "status": .string(statusName),
            "skipped": skipped, "duration_ms": Self.milliseconds(duration), "turns": .array(turns.map(\.json)),
            "failures": .array(failures.map(\.json)), "events": .array(events.map(\.json)),
        ]
    }

    /// `passed`, `failed` or `skipped`.
    package var statusName: String {
        switch status {
        case .passed: "passed"
        case .failed: "failed"
        case .skipped: "skipped"
        }
    }

    fileprivate static func milliseconds(_ duration: Duration) -> JSONValue {
        .number((duration.milliseconds * 10).rounded() / 10)
    }
}

extension ScriptResult.Turn {
    fileprivate var json: JSONValue {
        let status = hasPassed.map { $0 ? "passed" : "failed" } ?? "not_run"
        return [
            "turn": .number(Double(index)), "user": user.map(JSONValue.string), "status": .string(status),
            "began_ms": began.map(ScriptResult.milliseconds), "expectations": .array(checks.map(\.json)),
        ]
    }
}

extension ScriptResult.Check {
    fileprivate var json: JSONValue {
        [
            "expectation": .number(Double(index)), "event": .string(event), "passed": .bool(isMet),
            "matched": .string(match), "after_ms": milliseconds.map { .number(($0 * 10).rounded() / 10) },
        ]
    }
}

extension ScriptFailure {
    fileprivate var json: JSONValue {
        [
            "turn": .number(Double(turn)), "expectation": .number(Double(expectation)), "event": .string(event),
            "kind": .string(kind.rawValue), "reason": .string(reason),
        ]
    }
}

extension ScriptEvent {
    fileprivate var json: JSONValue {
        [
            "event": .string(kind.rawValue), "at_ms": ScriptResult.milliseconds(at),
            "text": text.isEmpty ? nil : .string(text), "name": name.map(JSONValue.string),
            "args": arguments.map(JSONValue.object),
        ]
    }
}
