internal import VoiceCore

/// Makes values of texts, for calls whose parameters are written without quotes: whether `12` is a number or a text, only
/// the tool's schema knows.
enum ParameterText {
    /// The value that a text stands for. A text that stands for none of the types that the schema names stays a text, so that
    /// checking the arguments says what is wrong.
    static func value(_ text: String, _ schema: JSONValue?) -> JSONValue {
        if let choices = schema?["enum"]?.elements, choices.contains(.string(text)) { return .string(text) }
        let types = JSONSchema.types(of: schema)
        let word = PythonText.strip(text)
        for type in types where type != "string" {
            if let value = value(word, type) { return value }
        }
        return .string(text)
    }

    /// Both JSON's words and Python's, with which templates write values.
    private static func value(_ word: String, _ type: String) -> JSONValue? {
        switch (type, word) {
        case ("null", "null"), ("null", "None"): return .null
        case ("boolean", "true"), ("boolean", "True"): return true
        case ("boolean", "false"), ("boolean", "False"): return false
        case ("integer", _), ("number", _): return JSONValue(json: word).flatMap { $0.number == nil ? nil : $0 }
        case ("array", _): return JSONValue(json: word).flatMap { $0.elements == nil ? nil : $0 }
        case ("object", _): return JSONValue(json: word).flatMap { $0.members == nil ? nil : $0 }
        default: return nil
        }
    }
}
