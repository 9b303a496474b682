/// The content of a form as browsers and telephone providers post it: `application/x-www-form-urlencoded`.
struct FormContent: Sendable, Equatable {
    /// Names and values, in their order.
    private(set) var fields: [(name: String, value: String)] = []

    /// Reads a form. Any bytes are legal input; what is no UTF-8 is replaced.
    init(reading bytes: [UInt8]) {
        for field in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? Self.decode(parts[1]) : ""
            fields.append((parts.first.map(Self.decode) ?? "", value))
        }
    }

    /// The first value of a name.
    subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// True if the name is there.
    func has(_ name: String) -> Bool { self[name] != nil }

    static func == (first: FormContent, second: FormContent) -> Bool {
        first.fields.elementsEqual(second.fields) { $0 == $1 }
    }

    private static func decode(_ text: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                let isHexadecimal = digits.count == 2 && digits.allSatisfy { Character(UnicodeScalar($0)).isHexDigit }
                if isHexadecimal, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) {
                    bytes.append(code)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
