/// Any JSON value, for data whose form only others know: parts of messages, arguments of tools, schemas.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number; whole ones are exact up to 2⁵³.
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// An object. Its members keep their order; two objects are equal whatever the order.
    case object(JSONObject)

    /// Reads JSON text; nil if it is none, or nested deeper than 128 levels.
    public init?(json text: String) {
        guard let value = JSONReader.read(text) else { return nil }
        self = value
    }

    /// The JSON text without spaces, with sorted keys. A number that is not finite becomes null.
    public var json: String { JSONWriter.compact.text(of: self) }

    /// The member of an object; nil without one, or if it is null.
    public subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    /// The members, if it is an object.
    public var members: JSONObject? { if case .object(let members) = self { members } else { nil } }

    /// The text, if it is one.
    public var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The truth value, if it is one.
    public var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// The elements, if it is an array.
    public var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The number, if it is one.
    public var number: Double? { if case .number(let number) = self { number } else { nil } }

    /// The number, if it is a whole one that fits.
    public var whole: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
}

extension JSONValue: Codable {
    /// Reads a value. Keyed decoders do not tell the order of members; ``init(json:)`` does.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let elements = try? container.decode([JSONValue].self) {
            self = .array(elements)
        } else {
            let members = try container.decode([String: JSONValue].self)
            self = .object(JSONObject(members.sorted { $0.key < $1.key }))
        }
    }

    /// Writes the value. A number that is not finite becomes null.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let flag): try value.encode(flag)
        case .number(let number) where !number.isFinite: try value.encodeNil()
        case .number(let number):
            if let whole = Int(exactly: number) { try value.encode(whole) } else { try value.encode(number) }
        case .string(let text): try value.encode(text)
        case .array(let elements): try value.encode(elements)
        case .object(let members): try value.encode(members.dictionary)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// An object without the members that are nil.
    public init(dictionaryLiteral members: (String, JSONValue?)...) {
        var object = JSONObject()
        for (key, value) in members { object[key] = value }
        self = .object(object)
    }
}
