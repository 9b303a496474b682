internal import Foundation
internal import VoiceCore

extension ScriptTurn {
    private static let keys = ["user", "dtmf", "expect", "send_after", "audio", "image"]
    private static let pad: Set<Character> = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]

    init(_ node: ScriptNode) throws(VoiceError) {
        try node.allow(only: Self.keys, in: "a turn")
        line = node.line
        if let said = node["user"] { (user, parts) = try Self.said(said) }
        keys = try Self.pressed(node)
        recording = try node.text(of: "audio").map { Self.path($0, beside: node.file) }
        image = try node.text(of: "image").map { Self.path($0, beside: node.file) }
        if let expected = node["expect"] {
            guard let list = expected.list else { throw expected.refusal("'expect' must be a list") }
            for one in list { expect.append(try ScriptExpectation(one)) }
        }
        if let after = node["send_after"] { sendAfter = try SendAfter(after) }
        try check(node)
    }

    private func check(_ node: ScriptNode) throws(VoiceError) {
        if user != nil, keys != nil { throw node.refusal("a turn has 'user' or 'dtmf', not both") }
        if sendAfter != nil, !sends { throw node.refusal("'send_after' needs a 'user' or 'dtmf' to send") }
        guard recording != nil else { return }
        if keys != nil { throw node.refusal("a turn has 'audio' or 'dtmf', not both") }
        if user == nil { throw node.refusal("'audio' needs a 'user': the text that the recording says") }
        if parts != nil { throw node.refusal("'audio' has its own pauses: make 'user' one text") }
    }

    /// A text, or a list of texts and pauses.
    private static func said(_ node: ScriptNode) throws(VoiceError) -> (String, [Part]?) {
        if let text = node.text { return (text, nil) }
        guard let list = node.list else { throw node.refusal("'user' must be a text, or a list of texts and pauses") }
        var parts: [Part] = []
        var texts: [String] = []
        for item in list {
            if let text = item.text?.trimmed, !text.isEmpty {
                parts.append(.speech(text))
                texts.append(text)
            } else if let members = item.members, members.map(\.key) == ["pause_ms"],
                let pause = try item.whole(of: "pause_ms", from: 1)
            {
                parts.append(.pause(milliseconds: pause))
            } else {
                throw item.refusal("what is in 'user' must be a text or 'pause_ms: NUMBER'")
            }
        }
        guard !texts.isEmpty else { throw node.refusal("'user' has pauses but no text") }
        return (texts.joined(separator: " "), parts)
    }

    private static func pressed(_ node: ScriptNode) throws(VoiceError) -> String? {
        guard let value = node["dtmf"] else { return nil }
        // Without quotes digits are a number.
        guard let keys = value.text ?? value.whole.map(String.init), !keys.isEmpty, keys.allSatisfy(pad.contains) else {
            throw value.refusal("'dtmf' must be keys of a telephone in quotes: 0 to 9, * and #")
        }
        return keys
    }

    private static func path(_ path: String, beside file: String) -> String {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        return URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
    }
}

extension ScriptTurn.SendAfter {
    init(_ node: ScriptNode) throws(VoiceError) {
        try node.allow(only: ["event", "delay_ms"], in: "'send_after'")
        event = try node["event"].map { value throws(VoiceError) in try ScriptEvent.Kind(value) }
        delay = try node.whole(of: "delay_ms", from: 0) ?? 0
        if event == nil, delay == 0 { throw node.refusal("'send_after' needs an 'event' or a 'delay_ms' above 0") }
    }
}

extension ScriptEvent.Kind {
    /// Reads a name.
    init(_ node: ScriptNode) throws(VoiceError) {
        guard let name = node.text else { throw node.refusal("'event' must be the name of an event") }
        guard let kind = Self(rawValue: name) else {
            let nearest = Spelling.nearest(to: name, among: Self.allCases.map(\.rawValue)) ?? ""
            throw node.refusal("'\(name)' is no event; did you mean '\(nearest)'?")
        }
        self = kind
    }
}
