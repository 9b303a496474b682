internal import VoiceCore

/// Reads a call of elements, `<function=NAME><parameter=KEY>VALUE</parameter></function>`, byte by byte.
struct ElementScanner: Sendable {
    /// What a byte led to.
    enum Verdict {
        case more
        case complete
        case broken(String)
    }

    private enum Part { case opening, name, gap, key, value }

    private static let longestName = 256
    private static let function = Array("<function=".utf8)
    /// What may stand between parameters. The last one is the end of the whole block: everything needed was there.
    private static let marks = ["<parameter=", "</function>", "</tool_call>"].map { Array($0.utf8) }

    private var part: Part
    /// The mark or name that is being read.
    private var word: [UInt8] = []
    private var value: [UInt8] = []
    private var valueEnd = Marker("</parameter>")
    private var key = ""
    private var parameters: [(key: String, text: String)] = []
    /// The function's name, once it is known.
    private(set) var name: String?

    /// - Parameter isOpened: whether `<function=` was read already.
    init(isOpened: Bool = false) { part = isOpened ? .name : .opening }

    /// The call as far as it was read.
    var call: WrittenCall { WrittenCall(name: name ?? "", arguments: .texts(parameters)) }

    /// Whether what comes next is part of a value, whatever it is.
    var isInValue: Bool { part == .value }

    /// What a call that ends here lacks.
    var missing: String {
        switch part {
        case .opening: "<function=NAME>"
        case .name: "the end of the function's name"
        case .gap: "</function>"
        case .key: "the end of a parameter's name"
        case .value: "</parameter>"
        }
    }

    /// Reads a byte.
    mutating func take(_ byte: UInt8) -> Verdict {
        switch part {
        case .opening:
            word.append(byte)
            guard Self.function.starts(with: word) else {
                return .broken("A call must begin with <function=NAME>.")
            }
            if word.count == Self.function.count { enter(.name) }
        case .name, .key:
            if byte == UInt8(ascii: ">"), !word.isEmpty { return named() }
            guard byte > 0x20, byte != UInt8(ascii: "<"), byte != UInt8(ascii: ">"), word.count < Self.longestName
            else {
                let what = part == .name ? "function" : "parameter"
                return .broken("The name of a \(what) must be a word that > ends.")
            }
            word.append(byte)
        case .gap: return gap(byte)
        case .value:
            value.append(byte)
            guard valueEnd.take(byte) else { break }
            parameters.append((key, Self.text(of: value.dropLast("</parameter>".utf8.count))))
            enter(.gap)
        }
        return .more
    }

    private mutating func named() -> Verdict {
        let text = String(decoding: word, as: UTF8.self)
        if part == .name {
            name = text
            enter(.gap)
        } else {
            key = text
            value = []
            enter(.value)
        }
        return .more
    }

    private mutating func gap(_ byte: UInt8) -> Verdict {
        if word.isEmpty, ReplyParser.isSpace(byte) { return .more }
        word.append(byte)
        guard let mark = Self.marks.first(where: { $0.starts(with: word) }) else {
            return .broken("Between parameters there may only be <parameter=NAME> or </function>.")
        }
        guard word.count == mark.count else { return .more }
        guard mark == Self.marks[0] else { return .complete }
        enter(.key)
        return .more
    }

    private mutating func enter(_ part: Part) {
        self.part = part
        word = []
    }

    /// A value without the line breaks that belong to its element.
    private static func text(of value: ArraySlice<UInt8>) -> String {
        var value = value
        let newline = UInt8(ascii: "\n")
        if value.first == newline { value = value.dropFirst() }
        if value.last == newline { value = value.dropLast() }
        return String(decoding: value, as: UTF8.self)
    }
}
