/// The form that a JSON value must have, as a JSON schema says it (2020-12).
///
/// Checked are `type`, `properties`, `required`, `enum`, `items`, `additionalProperties`, `minimum`, `maximum`,
/// `minLength` and `maxLength`. Other keywords are for the model to read: a value that breaks them is accepted.
public struct JSONSchema: Sendable, Equatable {
    /// The schema itself.
    public let source: JSONValue

    /// More problems than these help nobody.
    private static let mostProblems = 5
    private static let types = ["null", "boolean", "integer", "number", "string", "array", "object"]

    /// Checks that a value is a schema.
    /// - Throws: ``VoiceError/Code/usage`` if a keyword that is checked has no legal value.
    public init(_ source: JSONValue) throws(VoiceError) {
        try Self.check(source, at: "the schema")
        self.source = source
    }

    /// What is wrong with a value: sentences that a model can correct it by, at most five; none if it has the form.
    public func problems(with value: JSONValue) -> [String] {
        var problems: [String] = []
        Self.compare(value, source, "", &problems)
        return Array(problems.prefix(Self.mostProblems))
    }

    /// The types that a value may have; none where the schema does not say.
    public static func types(of schema: JSONValue?) -> [String] {
        switch schema?["type"] {
        case .string(let type): [type]
        case .array(let types): types.compactMap(\.text)
        default: []
        }
    }

    // MARK: - The schema

    private static func check(_ schema: JSONValue, at place: String) throws(VoiceError) {
        guard let members = schema.members else {
            if schema.flag != nil { return }
            throw VoiceError(.usage, "\(place) is neither an object nor true or false.")
        }
        func refuse(_ key: String, _ wanted: String) -> VoiceError {
            VoiceError(.usage, "`\(key)` of \(place) must be \(wanted).")
        }
        for (key, value) in members {
            switch key {
            case "type":
                let names = value.elements ?? [value]
                guard !names.isEmpty, names.allSatisfy({ $0.text.map(types.contains) ?? false }) else {
                    throw refuse(key, "one or more of \(types.joined(separator: ", "))")
                }
            case "properties":
                guard let properties = value.members else { throw refuse(key, "an object") }
                for (name, property) in properties { try check(property, at: "`\(name)`") }
            case "required":
                guard value.elements?.allSatisfy({ $0.text != nil }) ?? false else {
                    throw refuse(key, "a list of names")
                }
            case "enum":
                guard value.elements?.isEmpty == false else { throw refuse(key, "a list of at least one value") }
            case "items", "additionalProperties": try check(value, at: "`\(key)`")
            case "minimum", "maximum":
                guard value.number != nil else { throw refuse(key, "a number") }
            case "minLength", "maxLength":
                guard value.whole.map({ $0 >= 0 }) ?? false else { throw refuse(key, "a whole number from 0") }
            default: break
            }
        }
    }

    // MARK: - A value

    private static func compare(_ value: JSONValue, _ schema: JSONValue, _ path: String, _ problems: inout [String]) {
        guard problems.count < mostProblems else { return }
        if schema == false {
            problems.append("\(name(path)) is not allowed.")
            return
        }
        let types = types(of: schema)
        guard types.isEmpty || types.contains(where: { fits(value, $0) }) else {
            problems.append(
                "\(name(path)) must be \(types.map(article).joined(separator: " or ")), not \(shown(value))."
            )
            return
        }
        if let choices = schema["enum"]?.elements, !choices.contains(value) {
            let list = choices.map(\.json).joined(separator: ", ")
            problems.append("\(name(path)) must be one of \(list), not \(shown(value)).")
            return
        }
        switch value {
        case .number(let number): compare(number, schema, path, &problems)
        case .string(let text): compare(text, schema, path, &problems)
        case .array(let elements):
            guard let items = schema["items"] else { return }
            for (index, element) in elements.enumerated() { compare(element, items, "\(path)[\(index)]", &problems) }
        case .object(let members): compare(members, schema, path, &problems)
        case .null, .bool: break
        }
    }

    private static func compare(_ number: Double, _ schema: JSONValue, _ path: String, _ problems: inout [String]) {
        if let least = schema["minimum"]?.number, number < least {
            problems.append("\(name(path)) must be at least \(shown(.number(least))), not \(shown(.number(number))).")
        }
        if let most = schema["maximum"]?.number, number > most {
            problems.append("\(name(path)) must be at most \(shown(.number(most))), not \(shown(.number(number))).")
        }
    }

    /// Lengths count code points (JSON Schema Validation 2020-12, section 6.3).
    private static func compare(_ text: String, _ schema: JSONValue, _ path: String, _ problems: inout [String]) {
        let count = text.unicodeScalars.count
        if let least = schema["minLength"]?.whole, count < least {
            problems.append("\(name(path)) must have at least \(least) characters, not \(count).")
        }
        if let most = schema["maxLength"]?.whole, count > most {
            problems.append("\(name(path)) must have at most \(most) characters, not \(count).")
        }
    }

    private static func compare(_ members: JSONObject, _ schema: JSONValue, _ path: String, _ problems: inout [String])
    {
        let properties = schema["properties"]?.members ?? JSONObject()
        for key in schema["required"]?.elements?.compactMap(\.text) ?? [] where members[key] == nil {
            problems.append("\(name(path + "." + key)) is missing.")
        }
        for (key, value) in members {
            if let property = properties[key] {
                compare(value, property, path + "." + key, &problems)
            } else if schema["additionalProperties"] == false {
                let known = properties.keys.map { "`\($0)`" }.joined(separator: ", ")
                let rest = known.isEmpty ? "There are no parameters." : "There are only \(known)."
                problems.append("\(name(path + "." + key)) does not exist. \(rest)")
            } else if let other = schema["additionalProperties"] {
                compare(value, other, path + "." + key, &problems)
            }
        }
    }

    private static func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.string, "string"), (.array, "array"),
            (.object, "object"):
            true
        // 1.0 is an integer (JSON Schema Validation 2020-12, section 6.1.1).
        case (.number(let number), "integer"): number.rounded() == number
        default: false
        }
    }

    private static func article(_ type: String) -> String {
        switch type {
        case "null": "null"
        case "boolean": "true or false"
        case "integer": "a whole number"
        case "array": "a list"
        case "object": "an object"
        default: "a \(type)"
        }
    }

    private static func name(_ path: String) -> String {
        path.isEmpty ? "The value" : "`\(path.drop { $0 == "." })`"
    }

    /// A value in a sentence; the beginning of a long one.
    private static func shown(_ value: JSONValue) -> String {
        let text = value.json
        return text.count <= 40 ? text : text.prefix(40) + "…"
    }
}
