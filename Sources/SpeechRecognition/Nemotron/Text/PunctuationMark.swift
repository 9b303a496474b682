/// A mark that closes what was said before it and never begins a word, by how much it closes.
enum PunctuationMark: Sendable, Comparable {
    /// A comma, colon or semicolon.
    case clause
    /// A full stop, question mark, exclamation mark or ellipsis.
    case sentence

    /// Unicode's Terminal_Punctuation (PropList.txt) without Sentence_Terminal, as far as it separates clauses of a
    /// living language; word separators and ornaments are left out.
    private static let clauseMarks: Set<Unicode.Scalar> = [
        ",", ":", ";", "\u{055D}", "\u{060C}", "\u{061B}", "\u{0703}", "\u{1363}", "\u{1364}", "\u{1365}", "\u{17D6}",
        "\u{3001}", "\u{FE50}", "\u{FE51}", "\u{FE54}", "\u{FE55}", "\u{FF0C}", "\u{FF1A}", "\u{FF1B}", "\u{FF64}",
    ]

    /// The mark that a character is; nil when it is none.
    init?(_ scalar: Unicode.Scalar) {
        if scalar.properties.isSentenceTerminal || scalar == "\u{2026}" {
            self = .sentence
        } else if Self.clauseMarks.contains(scalar) {
            self = .clause
        } else {
            return nil
        }
    }

    /// The strongest mark of a token that consists of marks, and perhaps of what closes a quotation or a bracket.
    init?(only text: some StringProtocol) {
        var strongest: PunctuationMark?
        for scalar in text.unicodeScalars {
            if let mark = PunctuationMark(scalar) {
                strongest = max(strongest ?? mark, mark)
            } else if !Self.closes(scalar) {
                return nil
            }
        }
        guard let strongest else { return nil }
        self = strongest
    }

    /// The mark that a text ends with, quotation marks and brackets after it aside.
    init?(ending text: some StringProtocol) {
        guard let last = text.unicodeScalars.last(where: { !Self.closes($0) }) else { return nil }
        self.init(last)
    }

    private static func closes(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .closePunctuation, .finalPunctuation: true
        default: scalar == "\"" || scalar == "'"
        }
    }
}
