internal import VoiceCore

/// A value of a scenario file with its place, for errors.
struct ScriptNode: Sendable {
    /// What stands there, by the rules of Pipecat's loader.
    indirect enum Content: Sendable {
        case null
        case bool(Bool)
        case whole(Int)
        case number(Double)
        case text(String)
        case list([ScriptNode])
        case mapping([Member])
    }

    /// One `key: value` of a mapping.
    struct Member: Sendable {
        var key: String
        /// The line of the key.
        var line: Int
        var value: ScriptNode
    }

    var content: Content
    var file: String
    var line: Int

    var isNull: Bool { if case .null = content { true } else { false } }
    var text: String? { if case .text(let text) = content { text } else { nil } }
    var flag: Bool? { if case .bool(let flag) = content { flag } else { nil } }
    var whole: Int? { if case .whole(let whole) = content { whole } else { nil } }
    var list: [ScriptNode]? { if case .list(let list) = content { list } else { nil } }
    var members: [Member]? { if case .mapping(let members) = content { members } else { nil } }

    /// The value of a mapping's key; nil without one, or if it is null.
    subscript(_ key: String) -> ScriptNode? {
        guard let value = members?.last(where: { $0.key == key })?.value, !value.isNull else { return nil }
        return value
    }

    /// The value without its places.
    var json: JSONValue {
        switch content {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .whole(let whole): .number(Double(whole))
        case .number(let number): .number(number)
        case .text(let text): .string(text)
        case .list(let list): .array(list.map(\.json))
        case .mapping(let members): .object(JSONObject(members.map { ($0.key, $0.value.json) }))
        }
    }

    /// The error that something is wrong with this value.
    func refusal(_ problem: String) -> VoiceError {
        VoiceError(.malformedInput, "\(file), line \(line): \(problem)")
    }

    /// Makes sure that a mapping has no keys but these.
    /// - Parameter what: what the mapping is, for the error.
    func allow(only keys: [String], in what: String) throws(VoiceError) {
        guard let members else { throw refusal("\(what) must be a mapping of keys and values") }
        for member in members where !keys.contains(member.key) {
            let nearest = Spelling.nearest(to: member.key, among: keys) ?? ""
            throw VoiceError(
                .malformedInput,
                "\(file), line \(member.line): '\(member.key)' is no key of \(what); did you mean '\(nearest)'?"
            )
        }
    }

    // MARK: - Values of keys

    func text(of key: String) throws(VoiceError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.text else { throw value.refusal("'\(key)' must be a text: put it in quotes") }
        return text
    }

    func flag(of key: String) throws(VoiceError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.flag else { throw value.refusal("'\(key)' must be true or false") }
        return flag
    }

    func whole(of key: String, from least: Int) throws(VoiceError) -> Int? {
        guard let value = self[key] else { return nil }
        // A day: no conversation lasts longer.
        guard let whole = value.whole, (least...86_400_000).contains(whole) else {
            throw value.refusal("'\(key)' must be a whole number, at least \(least)")
        }
        return whole
    }

    func choice(of key: String, among choices: [String]) throws(VoiceError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.text, choices.contains(text) else {
            throw value.refusal("'\(key)' must be one of \(choices.joined(separator: ", "))")
        }
        return text
    }
}
