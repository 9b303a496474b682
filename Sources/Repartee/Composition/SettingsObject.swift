internal import VoiceCore
internal import Yams

/// An element of a list of the settings that has fields of its own, such as a tool.
struct SettingsObject {
    /// The element's place, for errors.
    let value: SettingsValue
    private let fields: [String: SettingsValue]

    /// - Parameter keys: the fields that it may have.
    /// - Throws: ``VoiceError/Code/malformedInput`` if it is no mapping, or has another field.
    init(_ value: SettingsValue, keys: [String]) throws(VoiceError) {
        self.value = value
        var fields: [String: SettingsValue] = [:]
        for (name, field) in try value.fields() {
            guard keys.contains(name) else {
                let nearest = Spelling.nearest(to: name, among: keys) ?? ""
                throw VoiceError(.malformedInput, "\(field.place) is not a setting; did you mean '\(nearest)'?")
            }
            // A field without content is no field.
            if field.node != Node("") || field.node.tag.description == "tag:yaml.org,2002:str" { fields[name] = field }
        }
        self.fields = fields
    }

    /// A field; nil if it is not there.
    subscript(_ key: String) -> SettingsValue? { fields[key] }

    /// A field that must be there.
    func required(_ key: String) throws(VoiceError) -> SettingsValue {
        guard let field = fields[key] else {
            throw VoiceError(.malformedInput, "\(value.place) needs '\(key)'")
        }
        return field
    }

    /// Takes a field, if it is there.
    func take<Result>(
        _ key: String,
        _ read: (SettingsValue) throws(VoiceError) -> Result
    ) throws(VoiceError) -> Result? {
        guard let field = fields[key] else { return nil }
        return try read(field)
    }
}

extension SettingsValue {
    /// The elements of a list.
    func elements() throws(VoiceError) -> [SettingsValue] {
        guard let nodes = node.sequence else { throw refusal("a list") }
        return nodes.enumerated().map { SettingsValue(path: "\(path)[\($0.offset)]", node: $0.element, file: file) }
    }

    /// The fields of a mapping, in their order.
    func fields() throws(VoiceError) -> [(name: String, value: SettingsValue)] {
        guard let mapping = node.mapping else { throw refusal("a mapping") }
        return mapping.map { key, node in
            let name = key.scalar?.string ?? "?"
            return (name, SettingsValue(path: "\(path).\(name)", node: node, file: file))
        }
    }

    /// Texts by name, in their order.
    func namedTexts() throws(VoiceError) -> [(name: String, value: String)] {
        var texts: [(name: String, value: String)] = []
        for (name, value) in try fields() { texts.append((name, try value.text())) }
        return texts
    }

    /// The value as JSON.
    func json() throws(VoiceError) -> JSONValue {
        if node.mapping != nil {
            var object = JSONObject()
            for (name, value) in try fields() { object[name] = try value.json() }
            return .object(object)
        }
        if node.sequence != nil {
            var array: [JSONValue] = []
            for element in try elements() { array.append(try element.json()) }
            return .array(array)
        }
        guard let scalar = node.scalar else { throw refusal("a value") }
        // A quoted scalar is a text, whatever it looks like.
        guard scalar.style == .any || scalar.style == .plain else { return .string(scalar.string) }
        if node.null != nil { return .null }
        if let flag = node.bool { return .bool(flag) }
        if let number = node.float { return .number(number) }
        return .string(scalar.string)
    }
}
