#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Any JSON, for parts of a message whose form only the two applications know.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number; whole ones are exact up to 2⁵³.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads JSON text; nil if it is none, or nested deeper than 128 levels.
    package init?(json text: String) {
        guard let value = JSONReader.read(text) else { return nil }
        self = value
    }

    /// The JSON text, with sorted keys. A number that is not finite becomes null.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // All numbers that are encoded are finite, so it always exists.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    /// The member of an object; nil without one, or if it is null.
    package subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    /// The text, if it is one.
    package var text: String? { if case .string(let text) = self { text } else { nil } }

    /// The truth value, if it is one.
    package var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// The elements, if it is an array.
    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The number, if it is a whole one that fits.
    package var whole: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
}

extension JSONValue: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let flag): try value.encode(flag)
        case .number(let number) where !number.isFinite: try value.encodeNil()
        case .number(let number):
            if let whole = Int(exactly: number) { try value.encode(whole) } else { try value.encode(number) }
        case .string(let text): try value.encode(text)
        case .array(let elements): try value.encode(elements)
        case .object(let members): try value.encode(members)
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// An object without the members that are nil.
    package init(dictionaryLiteral members: (String, JSONValue?)...) {
        var object: [String: JSONValue] = [:]
        for (key, value) in members { object[key] = value }
        self = .object(object)
    }
}
