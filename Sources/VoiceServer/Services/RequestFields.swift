internal import NIOCore
internal import VoiceCore

/// The members of a JSON object that a client sent, each of the type that it must have. Null is the same as nothing.
struct RequestFields: Sendable {
    private let values: JSONObject
    /// What stands before a member's name in errors, `messages[3].` for example.
    private let place: String

    /// Reads the content of a request.
    /// - Parameters:
    ///   - body: the content, in the pieces in which it came.
    ///   - fields: the names that there are; others are an error that names the nearest one.
    ///   - page: the page that describes them.
    init(_ body: [ByteBuffer], fields: [String], page: String) throws(OpenAIError) {
        var bytes = ByteBuffer()
        for piece in body { bytes.writeImmutableBuffer(piece) }
        guard case .object(let values)? = JSONValue(json: String(buffer: bytes)) else {
            throw OpenAIError("the request is not a JSON object; see \(page) for its form")
        }
        self.init(values)
        try check(fields)
    }

    /// - Parameter place: where the object is in the request, `messages[3].` for example.
    init(_ values: JSONObject, at place: String = "") {
        self.values = values
        self.place = place
    }

    /// Refuses members with other names.
    func check(_ fields: [String]) throws(OpenAIError) {
        for key in values.keys.sorted() where !fields.contains(key) {
            let nearest = Spelling.nearest(to: key, among: fields) ?? ""
            let name = place + key.prefix(40)
            throw OpenAIError("there is no field '\(name)'; did you mean '\(nearest)'?", param: name)
        }
    }

    /// A member; nil without one, or if it is null.
    subscript(key: String) -> JSONValue? { values[key].flatMap { $0 == .null ? nil : $0 } }

    /// What is wrong with a member, as an error.
    func error(_ key: String, _ words: String) -> OpenAIError {
        OpenAIError("\(place)\(key) \(words)", param: place + key)
    }

    func text(_ key: String) throws(OpenAIError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.text else { throw error(key, "must be a text") }
        return text
    }

    func flag(_ key: String) throws(OpenAIError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.flag else { throw error(key, "must be true or false") }
        return flag
    }

    func number(_ key: String, in range: ClosedRange<Double>) throws(OpenAIError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.number, range.contains(number) else {
            throw error(key, "must be a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
        }
        return number
    }

    func whole(_ key: String, in range: ClosedRange<Int>) throws(OpenAIError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.whole, range.contains(number) else {
            let end = range.upperBound == .max ? "on" : "to \(range.upperBound)"
            throw error(key, "must be a whole number from \(range.lowerBound) \(end)")
        }
        return number
    }

    func elements(_ key: String) throws(OpenAIError) -> [JSONValue]? {
        guard let value = self[key] else { return nil }
        guard let elements = value.elements else { throw error(key, "must be an array") }
        return elements
    }

    /// The members of a member that is an object.
    func members(_ key: String) throws(OpenAIError) -> RequestFields? {
        guard let value = self[key] else { return nil }
        guard let members = value.members else { throw error(key, "must be an object") }
        return RequestFields(members, at: "\(place)\(key).")
    }

    private static func text(_ number: Double) -> String { JSONValue.number(number).json }
}
