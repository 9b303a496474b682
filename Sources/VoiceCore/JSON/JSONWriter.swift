/// Writes JSON text, RFC 8259.
///
/// There is more than one text for a value, and a language model notices the difference: its prompts were written by
/// Python's `json.dumps`.
public struct JSONWriter: Sendable, Equatable {
    /// What stands between two members or elements on one line.
    private let comma: String
    /// What stands between a member's name and its value.
    private let colon: String
    /// Spaces per level; nil for everything on one line.
    private let indent: Int?
    /// Whether members are sorted by name instead of keeping their order.
    private let sortsKeys: Bool

    /// No spaces, sorted names: the shortest text, and the same one for equal values.
    public static let compact = JSONWriter(comma: ",", colon: ":", indent: nil, sortsKeys: true)

    /// As Python's `json.dumps(value, ensure_ascii=False, indent=indent)` writes: members in their order, a space after
    /// commas and colons (Python 3.14, `Lib/json/encoder.py`).
    public static func python(indent: Int? = nil) -> JSONWriter {
        JSONWriter(comma: ", ", colon: ": ", indent: indent, sortsKeys: false)
    }

    /// The text of a value. A number that is not finite becomes null.
    public func text(of value: JSONValue) -> String {
        var text = ""
        write(value, depth: 0, to: &text)
        return text
    }

    private func write(_ value: JSONValue, depth: Int, to text: inout String) {
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .number(let number): text += Self.text(of: number)
        case .string(let string): Self.write(string, to: &text)
        case .array(let elements):
            write(elements, between: ("[", "]"), depth, to: &text) { write($0, depth: depth + 1, to: &$1) }
        case .object(let object):
            let members = sortsKeys ? object.sorted { $0.key < $1.key } : Array(object)
            write(members, between: ("{", "}"), depth, to: &text) { member, text in
                Self.write(member.key, to: &text)
                text += colon
                write(member.value, depth: depth + 1, to: &text)
            }
        }
    }

    private func write<Item>(
        _ items: [Item],
        between brackets: (String, String),
        _ depth: Int,
        to text: inout String,
        _ writeItem: (Item, inout String) -> Void
    ) {
        text += brackets.0
        for (index, item) in items.enumerated() {
            if index > 0 { text += indent == nil ? comma : "," }
            breakLine(depth + 1, &text)
            writeItem(item, &text)
        }
        if !items.isEmpty { breakLine(depth, &text) }
        text += brackets.1
    }

    private func breakLine(_ depth: Int, _ text: inout String) {
        guard let indent else { return }
        text += "\n" + String(repeating: " ", count: depth * indent)
    }

    /// The text of a number: whole ones without a point, others with as few digits as tell them apart.
    static func text(of number: Double) -> String {
        guard number.isFinite else { return "null" }
        return Int(exactly: number).map(String.init) ?? number.description
    }

    /// Only what must be escaped is (RFC 8259 section 7).
    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{c}": text += "\\f"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
