/// A character with the place in the original that it stands for.
struct TextCell: Sendable {
    var scalar: Unicode.Scalar
    /// UTF-8 bytes of the original; empty for a mark that stands for the shape of the text.
    var start: Int
    var end: Int
}

/// Takes off what is written but not said: Markdown, tags, emoji, control characters; and makes quotation marks and
/// dashes plain. Text of other scripts passes.
///
/// One pass over characters and one over lines, with all brackets matched beforehand, so the time is linear in the length.
struct MarkupStripper {
    private let input: [TextCell]
    /// For each opening bracket the index of the one that closes it, in the same line; else nothing.
    private var closing: [Int: Int] = [:]
    /// For each index, the next `<` or `>` from there on.
    private var nextAngle: [Int]
    private var output: [TextCell] = []
    private(set) var work = 0
    /// Whether the last letter of the word so far is of another script.
    private var isForeignWord = false

    /// Tags are not longer.
    private static let longestTag = 200

    static func strip(_ text: String) -> (cells: [TextCell], work: Int) {
        var stripper = MarkupStripper(text)
        stripper.stripLines()
        return (stripper.output, stripper.work)
    }

    private init(_ text: String) {
        var cells: [TextCell] = []
        cells.reserveCapacity(text.utf8.count)
        var position = 0
        for scalar in text.unicodeScalars {
            let end = position + UTF8.width(scalar)
            cells.append(TextCell(scalar: scalar, start: position, end: end))
            position = end
        }
        input = cells
        nextAngle = Array(repeating: cells.count, count: cells.count + 1)
        matchBrackets()
    }

    private mutating func matchBrackets() {
        var square: [Int] = []
        var round: [Int] = []
        for index in input.indices {
            work += 1
            switch input[index].scalar {
            case let scalar where Self.isLineEnd(scalar):
                square.removeAll(keepingCapacity: true)
                round.removeAll(keepingCapacity: true)
            case "[": square.append(index)
            case "(": round.append(index)
            case "]": if let open = square.popLast() { closing[open] = index }
            case ")": if let open = round.popLast() { closing[open] = index }
            default: break
            }
        }
        for index in input.indices.reversed() {
            work += 1
            let isAngle = input[index].scalar == "<" || input[index].scalar == ">"
            nextAngle[index] = isAngle ? index : nextAngle[index + 1]
        }
    }

    // MARK: - Lines

    private mutating func stripLines() {
        var start = 0
        while start < input.count {
            var end = start
            while end < input.count, !Self.isLineEnd(input[end].scalar) { end += 1 }
            work += end - start + 1
            stripLine(start..<end)
            if end < input.count { append("\n", input[end].start, input[end].end) }
            start = end + 1
        }
    }

    private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}" || scalar == "\u{85}"
    }

    private func isSpace(_ index: Int) -> Bool { input[index].scalar.properties.isWhitespace }

    /// One line without its end.
    private mutating func stripLine(_ line: Range<Int>) {
        var (start, end) = (line.lowerBound, line.upperBound)
        while start < end, isSpace(start) || isQuoteMark(start, end) { start += 1 }
        while end > start, isSpace(end - 1) { end -= 1 }
        guard start < end, !isRule(start..<end), !isDefinition(start..<end) else { return }
        if isFence(start..<end) { return }
        if let content = heading(start..<end) {
            inline(content)
            return closeBlock()
        }
        if input[start].scalar == "|", end - start > 1,
            input[start..<end].dropFirst().contains(where: { $0.scalar == "|" }),
            phonemes(start, end) == nil
        {
            return tableRow(start..<end)
        }
        if let content = listItem(start..<end) {
            inline(content)
            return closeBlock()
        }
        inline(start..<end)
    }

    /// The mark of a quotation; ">5" is more than five.
    private func isQuoteMark(_ index: Int, _ end: Int) -> Bool {
        input[index].scalar == ">" && (index + 1 == end || isSpace(index + 1) || input[index + 1].scalar == ">")
    }

    /// A line of three or more of the same mark, or the line under a table's head.
    private func isRule(_ line: Range<Int>) -> Bool {
        guard line.count >= 3 else { return false }
        var marks = 0
        for cell in input[line] {
            switch cell.scalar {
            case "-", "*", "_", "=": marks += 1
            case "|", ":", "+", " ", "\t": break
            default: return false
            }
        }
        return marks >= 3
    }

    /// A link's definition: `[name]: address`.
    private func isDefinition(_ line: Range<Int>) -> Bool {
        guard input[line.lowerBound].scalar == "[", let close = closing[line.lowerBound] else { return false }
        return close + 1 < line.upperBound && input[close + 1].scalar == ":" && close > line.lowerBound + 1
    }

    /// The line before or after code; the name of its language goes with it.
    private func isFence(_ line: Range<Int>) -> Bool {
        guard line.count >= 3 else { return false }
        let mark = input[line.lowerBound].scalar
        guard mark == "`" || mark == "~" else { return false }
        let rest = input[line].drop { $0.scalar == mark }
        return line.count - rest.count >= 3 && !rest.contains { $0.scalar == mark || $0.scalar == " " }
    }

    private func heading(_ line: Range<Int>) -> Range<Int>? {
        var start = line.lowerBound
        while start < line.upperBound, input[start].scalar == "#" { start += 1 }
        guard (1...6).contains(start - line.lowerBound), start < line.upperBound, isSpace(start) else { return nil }
        var end = line.upperBound
        while end > start, input[end - 1].scalar == "#" || isSpace(end - 1) { end -= 1 }
        return start..<end
    }

    private mutating func listItem(_ line: Range<Int>) -> Range<Int>? {
        var start = line.lowerBound
        switch input[start].scalar {
        case "-", "*", "+", "•", "◦", "▪", "‣", "·": start += 1
        default:
            while start < line.upperBound, input[start].scalar.isDigit { start += 1 }
            guard (1...2).contains(start - line.lowerBound), start < line.upperBound,
                input[start].scalar == "." || input[start].scalar == ")"
            else { return nil }
            start += 1
            guard start + 1 < line.upperBound, isSpace(start) else { return nil }
            for cell in input[line.lowerBound..<start - 1] { append(cell.scalar, cell.start, cell.end) }
            append(",", input[start - 1].start, input[start - 1].end)
            return start..<line.upperBound
        }
        guard start < line.upperBound, isSpace(start) else { return nil }
        // "- 5" may be a sum; "- " before anything else is a list.
        while start < line.upperBound, isSpace(start) { start += 1 }
        if start + 2 < line.upperBound, input[start].scalar == "[", input[start + 2].scalar == "]",
            " xX".unicodeScalars.contains(input[start + 1].scalar)
        {
            start += 3
        }
        return start..<line.upperBound
    }

    private mutating func tableRow(_ line: Range<Int>) {
        var start = line.lowerBound
        for index in line where input[index].scalar == "|" {
            if index > start { tableCell(start..<index) }
            start = index + 1
        }
        if start < line.upperBound { tableCell(start..<line.upperBound) }
        closeBlock()
    }

    private mutating func tableCell(_ cell: Range<Int>) {
        guard input[cell].contains(where: { !$0.scalar.properties.isWhitespace }) else { return }
        if let last = output.last, last.scalar != "\n" {
            if Self.isWord(last.scalar) { append(",", last.end, last.end) }
            append(" ", last.end, last.end)
        }
        var (start, end) = (cell.lowerBound, cell.upperBound)
        while start < end, isSpace(start) { start += 1 }
        while end > start, isSpace(end - 1) { end -= 1 }
        inline(start..<end)
    }

    /// A heading or an item of a list is a sentence of its own.
    private mutating func closeBlock() {
        guard let last = output.last else { return }
        if Self.isWord(last.scalar) || last.scalar == ")" { append(".", last.end, last.end) }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isLatinLetter || scalar.isDigit || scalar == "%"
    }

    // MARK: - In a line

    /// Where `|…|` of explicit phonemes ends: it holds at least one sign that is in no word.
    private func phonemes(_ start: Int, _ limit: Int) -> Int? {
        var index = start + 1
        var isPhonetic = false
        while index < min(limit, start + Self.longestTag), input[index].scalar != "|" {
            let value = input[index].scalar.value
            isPhonetic = isPhonetic || (0x250...0x2FF).contains(value) || [0xE6, 0xF0, 0x14B, 0x3B8].contains(value)
            index += 1
        }
        return isPhonetic && index < limit && input[index].scalar == "|" ? index : nil
    }

    private mutating func inline(_ line: Range<Int>) {
        var index = line.lowerBound
        var skips: [Int: Int] = [:]
        while index < line.upperBound {
            work += 1
            if let after = skips[index] {
                index = after
                continue
            }
            let cell = input[index]
            switch cell.scalar {
            case "|":
                if let end = phonemes(index, line.upperBound) {
                    work += end - index
                    // The spaces inside stay with the span: no token ends there.
                    for inner in input[index...end] {
                        append(inner.scalar == " " ? Self.innerSpace : inner.scalar, inner.start, inner.end)
                    }
                    index = end
                } else {
                    append(" ", cell.start, cell.end)
                }
            case "!" where index + 1 < line.upperBound && input[index + 1].scalar == "[" && link(index + 1) != nil:
                break
            case "[":
                if let (textEnd, after) = link(index) {
                    skips[textEnd] = after
                } else if index + 1 < line.upperBound, input[index + 1].scalar == "^", let close = closing[index] {
                    index = close
                } else {
                    append("[", cell.start, cell.end)
                }
            case "<":
                if let end = tag(index, line.upperBound) { index = end } else { append("<", cell.start, cell.end) }
            case "&":
                if let (scalar, end) = entity(index, line.upperBound) {
                    append(scalar, cell.start, input[end].end)
                    index = end
                } else {
                    append("&", cell.start, cell.end)
                }
            case "\\" where index + 1 < line.upperBound && Self.escapable.contains(input[index + 1].scalar):
                // What was escaped is to be seen, not said.
                if !"*_`~".unicodeScalars.contains(input[index + 1].scalar) {
                    append(input[index + 1].scalar, cell.start, input[index + 1].end)
                }
                index += 1
            case "*", "_", "`", "~": mark(index, line)
            default: character(index, line)
            }
            index += 1
        }
    }

    /// A space inside explicit phonemes, until the words are made.
    static let innerSpace: Unicode.Scalar = "\u{1F}"

    private static let escapable: Set<Unicode.Scalar> = [
        "*", "_", "`", "~", "#", "[", "]", "(", ")", "!", "-", "+", ".", "|", "\\", "<", ">", "{", "}",
    ]

    /// `[text](address)` or `[text][name]`: where the text ends and what comes after.
    private func link(_ open: Int) -> (textEnd: Int, after: Int)? {
        guard let close = closing[open], close + 1 < input.count, close > open + 1 else { return nil }
        let next = input[close + 1].scalar
        guard next == "(" || next == "[", let end = closing[close + 1] else { return nil }
        return (close, end + 1)
    }

    /// The last index of a tag or of an address in angle brackets that begins at `start`.
    private func tag(_ start: Int, _ limit: Int) -> Int? {
        let end = nextAngle[start + 1]
        guard end < limit, end - start <= Self.longestTag, end > start + 1, input[end].scalar == ">" else { return nil }
        let first = input[start + 1].scalar
        guard first == "/" || first == "!" || first == "?" || first.isASCIILetter else { return nil }
        // An address is said.
        let isAddress =
            input[start..<end].contains { $0.scalar == "@" }
            || input[start..<end].contains { $0.scalar == ":" } && !input[start..<end].contains { $0.scalar == " " }
        return isAddress ? nil : end
    }

    private func entity(_ start: Int, _ limit: Int) -> (Unicode.Scalar, Int)? {
        var name = ""
        var index = start + 1
        while index < min(limit, start + 8), input[index].scalar != ";" {
            name.unicodeScalars.append(input[index].scalar)
            index += 1
        }
        guard index < limit, input[index].scalar == ";", let scalar = Self.entities[name] else { return nil }
        return (scalar, index)
    }

    private static let entities: [String: Unicode.Scalar] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "#39": "'", "nbsp": " ", "#x27": "'", "mdash": "-",
        "ndash": "-", "hellip": "…", "deg": "°", "euro": "€", "pound": "£",
    ]

    /// `*`, `_`, `` ` `` and `~`: emphasis, except between numbers.
    private mutating func mark(_ index: Int, _ line: Range<Int>) {
        let cell = input[index]
        let before = index > line.lowerBound ? input[index - 1].scalar : " "
        let after = index + 1 < line.upperBound ? input[index + 1].scalar : " "
        switch cell.scalar {
        case "*" where before.isDigit && after.isDigit,
            "*" where before == " " && after == " " && output.last?.scalar == " ":
            append("×", cell.start, cell.end)
        case "_" where Self.isWord(before) && Self.isWord(after): append("_", cell.start, cell.end)
        case "~" where after.isDigit && before != "~": append("~", cell.start, cell.end)
        default: break
        }
    }

    private mutating func character(_ index: Int, _ line: Range<Int>) {
        let cell = input[index]
        let scalar = cell.scalar
        if scalar.isASCII {
            if scalar.value < 0x20 || scalar.value == 0x7F {
                append(" ", cell.start, cell.end)
            } else {
                append(scalar, cell.start, cell.end)
            }
            return
        }
        let isBesideForeign = isForeignWord || index + 1 < line.upperBound && input[index + 1].scalar.isForeign
        switch scalar {
        case "‘", "’", "‚", "‛", "ʼ", "´", "′": append(isBesideForeign ? scalar : "'", cell.start, cell.end)
        case "“", "”", "„", "‟", "″", "«", "»": append(isBesideForeign ? scalar : "\"", cell.start, cell.end)
        case "‐", "‑", "‒", "−": append("-", cell.start, cell.end)
        case "–", "—", "―", "⸺": isBesideForeign ? append(scalar, cell.start, cell.end) : dash(index, line)
        case "…": isBesideForeign ? append(scalar, cell.start, cell.end) : ellipsis(cell)
        case "⁄": append("/", cell.start, cell.end)
        case _ where scalar.isPictograph: append(" ", cell.start, cell.end)
        case _ where scalar.properties.isWhitespace: append(" ", cell.start, cell.end)
        case _ where (0x300...0x36F).contains(scalar.value): combining(cell)
        case "ﬁ", "ﬂ", "ﬀ", "ﬃ", "ﬄ":
            for letter in Self.ligatures[scalar] ?? "" {
                append(letter.unicodeScalars.first ?? "f", cell.start, cell.end)
            }
        default:
            switch scalar.properties.generalCategory {
            case .format, .control, .privateUse, .unassigned, .surrogate:
                // Joiners shape the letters of other scripts.
                if output.last?.scalar.isForeign == true { append(scalar, cell.start, cell.end) }
            default: append(scalar, cell.start, cell.end)
            }
        }
    }

    private static let ligatures: [Unicode.Scalar: String] = ["ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl"]

    /// A dash joins what it stands close to, and is a pause elsewhere.
    private mutating func dash(_ index: Int, _ line: Range<Int>) {
        let cell = input[index]
        let before = index > line.lowerBound ? input[index - 1].scalar : " "
        let after = index + 1 < line.upperBound ? input[index + 1].scalar : " "
        let isClose = !before.properties.isWhitespace && !after.properties.isWhitespace
        if isClose, cell.scalar == "–" || before.isDigit && after.isDigit {
            append("-", cell.start, cell.end)
        } else if let last = output.last(where: { $0.scalar != " " }), last.scalar.isDigit, !isClose,
            index + 2 < line.upperBound, input[index + 2].scalar.isDigit
        {
            append("-", cell.start, cell.end)
        } else {
            append(",", cell.start, cell.end)
            append(" ", cell.end, cell.end)
        }
    }

    private mutating func ellipsis(_ cell: TextCell) {
        for _ in 0..<3 { append(".", cell.start, cell.end) }
    }

    /// A mark over a letter: two at most, and none without a letter.
    private mutating func combining(_ cell: TextCell) {
        guard let last = output.last else { return }
        let isMark = (0x300...0x36F).contains(last.scalar.value)
        let isSecond = isMark && output.count > 1 && !(0x300...0x36F).contains(output[output.count - 2].scalar.value)
        if last.scalar.isLatinLetter || last.scalar.isForeign || isSecond { append(cell.scalar, cell.start, cell.end) }
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ start: Int, _ end: Int) {
        if scalar.isForeign {
            isForeignWord = true
        } else if scalar.isLatinLetter || scalar.properties.isWhitespace {
            isForeignWord = false
        }
        output.append(TextCell(scalar: scalar, start: start, end: end))
    }
}
