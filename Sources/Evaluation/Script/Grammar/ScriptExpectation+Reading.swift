internal import VoiceCore

extension ScriptExpectation {
    private static let markerKeys = ["marker", "marker_first", "markers", "text_after"]
    private static let contentKeys = ["text_contains", "text_excludes", "eval", "calls", "name", "args"] + markerKeys
    private static let keys = ["event", "within_ms", "absent", "check_from"] + contentKeys

    init(_ node: ScriptNode) throws(VoiceError) {
        try node.allow(only: Self.keys, in: "an expectation")
        guard let name = node["event"] else { throw node.refusal("an expectation needs an 'event'") }
        event = try ScriptEvent.Kind(name)
        line = node.line
        within = try node.whole(of: "within_ms", from: 1)
        contains = try node.text(of: "text_contains")
        excludes = try node.text(of: "text_excludes")
        criterion = try node.text(of: "eval")
        isAbsent = try node.flag(of: "absent") ?? false
        if let from = try node.choice(of: "check_from", among: Origin.allCases.map(\.rawValue)) {
            origin = Origin(rawValue: from) ?? .previous
        }
        marker.meaning = try node.choice(of: "marker", among: ["complete", "short", "long", "incomplete"])
        marker.isFirst = try node.flag(of: "marker_first")
        marker.count = try node.whole(of: "markers", from: 0)
        marker.hasTextAfter = try node.flag(of: "text_after")
        try check(node)
        if event.isCall, !isAbsent { calls = try Self.calls(node) }
    }

    private func check(_ node: ScriptNode) throws(VoiceError) {
        func has(_ key: String) -> Bool { node.members?.contains { $0.key == key } ?? false }
        if isAbsent, let key = (Self.contentKeys + ["check_from"]).first(where: has) {
            throw node.refusal("'absent: true' is about any \(event.rawValue): remove '\(key)'")
        }
        if event != .llmMarker, let key = Self.markerKeys.first(where: has) {
            throw node.refusal("'\(key)' is for the event 'llm_marker' only")
        }
        if criterion != nil, event == .functionCallStopped {
            throw node.refusal("'function_call_stopped' has no arguments to judge: put 'eval' on the 'function_call'")
        }
    }

    /// A list, or one call by `name` and `args`, or any call.
    private static func calls(_ node: ScriptNode) throws(VoiceError) -> [Call] {
        guard let value = node["calls"] else { return [try call(node)] }
        guard let list = value.list, !list.isEmpty else {
            throw value.refusal("'calls' must be a list of at least one call")
        }
        var calls: [Call] = []
        for item in list {
            if let name = item.text {
                calls.append(Call(name: name))
            } else {
                try item.allow(only: ["name", "args"], in: "a call")
                calls.append(try call(item))
            }
        }
        return calls
    }

    private static func call(_ node: ScriptNode) throws(VoiceError) -> Call {
        var call = Call(name: try node.text(of: "name"))
        if let arguments = node["args"] {
            guard let members = arguments.json.members else {
                throw arguments.refusal("'args' must be a mapping of arguments and their values")
            }
            call.arguments = members
        }
        return call
    }
}
