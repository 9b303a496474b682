internal import VoiceCore
internal import YAMLReading
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
        // A field without content is no field.
        let fields = try value.members(of: keys, called: "a setting").filter { _, field in
            field.node != Node("") || field.node.tag.description == "tag:yaml.org,2002:str"
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
