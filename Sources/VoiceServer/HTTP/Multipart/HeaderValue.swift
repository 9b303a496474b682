/// A header's value with parameters, such as `form-data; name="file"; filename="a.wav"` (RFC 9110 section 5.6.6).
struct HeaderValue: Sendable, Equatable {
    /// What stands before the first semicolon.
    private(set) var value: String
    /// The parameters, names in lower case, quotes taken off. Of one that comes twice the first counts.
    private(set) var parameters: [String: String] = [:]

    /// Reads a value; whatever is no parameter is left out.
    init(_ text: String) {
        var rest = text[...]
        value = Self.trimmed(rest.prefix { $0 != ";" })
        rest = rest.drop { $0 != ";" }.dropFirst()
        while !rest.isEmpty {
            let name = Self.trimmed(rest.prefix { $0 != "=" && $0 != ";" }).lowercased()
            rest = rest.drop { $0 != "=" && $0 != ";" }
            guard rest.first == "=" else {
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let content = rest.first == "\"" ? Self.quoted(&rest) : Self.trimmed(rest.prefix { $0 != ";" })
            rest = rest.drop { $0 != ";" }.dropFirst()
            if !name.isEmpty, parameters[name] == nil { parameters[name] = content }
        }
    }

    /// Takes a quoted string; a backslash makes the next character ordinary.
    private static func quoted(_ rest: inout Substring) -> String {
        var content = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let next = rest.popFirst() { content.append(next) } else { content.append(character) }
        }
        return content
    }

    private static func trimmed(_ text: Substring) -> String {
        let text = text.drop { $0 == " " || $0 == "\t" }
        let end = text.lastIndex { $0 != " " && $0 != "\t" }.map(text.index(after:)) ?? text.startIndex
        return String(text[..<end])
    }
}
