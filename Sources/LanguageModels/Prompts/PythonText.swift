internal import VoiceCore

/// Text as Python and Jinja make it of values, for templates that were written for them.
enum PythonText {
    /// The text without white space around it, as `str.strip()`: Unicode's white space and the four separators of ASCII
    /// (`str.isspace`, Python 3.11).
    static func strip(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let start = scalars.firstIndex(where: { !isSpace($0) }),
            let end = scalars.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(scalars[start...end])
    }

    /// The text without white space after it, as `str.rstrip()`.
    static func stripEnd(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let end = scalars.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(scalars[...end])
    }

    /// The text without line breaks around it, as `str.strip('\n')`.
    static func stripLines(_ text: String) -> String {
        let bytes = text.utf8.drop { $0 == newline }
        guard let end = bytes.lastIndex(where: { $0 != newline }) else { return "" }
        return String(decoding: bytes[...end], as: UTF8.self)
    }

    /// The text without line breaks before it, as `str.lstrip('\n')`.
    static func stripLeadingLines(_ text: String) -> String {
        String(decoding: text.utf8.drop { $0 == newline }, as: UTF8.self)
    }

    /// A value as the templates of Nemotron and Qwen write it: lists and objects as JSON, others as `str(value)`.
    static func value(_ value: JSONValue) -> String {
        switch value {
        case .null: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .string(let text): text
        case .number, .array, .object: JSONWriter.python().text(of: value)
        }
    }

    /// `str(type)` of a schema's type: a name, or a list of names in quotes.
    static func type(_ type: JSONValue) -> String {
        guard let names = type.elements else { return value(type) }
        return "[" + names.map { "'\(value($0))'" }.joined(separator: ", ") + "]"
    }

    private static let newline = UInt8(ascii: "\n")

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || ("\u{1c}"..."\u{1f}").contains(scalar)
    }
}
