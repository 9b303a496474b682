/// A JSON object whose members keep the order in which they came, as language models were shown them.
///
/// Equal to another with the same members in any order.
public struct JSONObject: Sendable, Equatable {
    /// The names of the members, in order.
    public private(set) var keys: [String] = []
    /// The members without their order.
    public private(set) var dictionary: [String: JSONValue] = [:]

    /// An object without members.
    public init() {}

    /// An object of these members; of two with the same name the last one counts, at the first one's place.
    public init(_ members: some Sequence<(key: String, value: JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    /// Whether there are no members.
    public var isEmpty: Bool { keys.isEmpty }

    /// A member by its name. A new one comes last; nil removes it.
    public subscript(_ key: String) -> JSONValue? {
        get { dictionary[key] }
        set {
            let known = dictionary[key] != nil
            dictionary[key] = newValue
            if newValue == nil, known { keys.removeAll { $0 == key } }
            if newValue != nil, !known { keys.append(key) }
        }
    }

    /// Members are compared without their order (RFC 8259 section 4).
    public static func == (first: JSONObject, second: JSONObject) -> Bool { first.dictionary == second.dictionary }
}

extension JSONObject: Sequence {
    /// The members in their order.
    public func makeIterator() -> some IteratorProtocol<(key: String, value: JSONValue)> {
        keys.lazy.compactMap { key in dictionary[key].map { (key: key, value: $0) } }.makeIterator()
    }
}

extension JSONObject: Codable {
    /// Reads an object.
    public init(from decoder: any Decoder) throws {
        guard case .object(let object) = try JSONValue(from: decoder) else {
            throw DecodingError.typeMismatch(
                JSONObject.self,
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "a JSON object is expected")
            )
        }
        self = object
    }

    /// Writes the object.
    public func encode(to encoder: any Encoder) throws {
        try JSONValue.object(self).encode(to: encoder)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object of these members, without those that are nil.
    public init(dictionaryLiteral members: (String, JSONValue?)...) {
        for (key, value) in members { self[key] = value }
    }
}
