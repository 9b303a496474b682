/// Cuts a reply into clauses while it is being generated, so that speech starts with the first one.
///
/// A pure value. The clauses, joined, are the text; none is empty. The first clause is short, because the person waits
/// for it; later ones are sentences, because whole sentences sound better and there is time.
package struct ClauseSegmenter: Sendable {
    /// How long clauses are.
    package struct Configuration: Sendable, Equatable {
        /// The first clause may end at a comma or the like after this many words.
        package var firstClauseWords = 3
        /// The first clause ends at a word border after this many words even without punctuation.
        package var firstClauseLimit = 7
        /// A later clause may end at a comma or the like after this many words.
        package var clauseWords = 12
        /// A later clause ends at a word border after this many words even without punctuation.
        package var clauseLimit = 30

        /// Makes the default configuration.
        package init() {}
    }

    private let configuration: Configuration
    private var text = ""
    private var isFirst = true

    /// Makes a segmenter at the start of a reply.
    package init(configuration: Configuration) { self.configuration = configuration }

    /// Takes the next piece of text and returns the clauses it completes.
    package mutating func feed(_ piece: String) -> [String] {
        text += piece
        var clauses: [String] = []
        while let end = border() {
            clauses.append(String(text[..<end]))
            text.removeSubrange(..<end)
            isFirst = false
        }
        return clauses
    }

    /// Ends the reply and returns what is left, nil if nothing or only white space is.
    package mutating func finish() -> String? {
        defer { text = "" }
        return text.contains { !$0.isWhitespace } ? text : nil
    }

    // MARK: - Borders

    /// The end of the first complete clause in ``text``.
    private func border() -> String.Index? {
        let (softWords, limit) =
            isFirst
            ? (configuration.firstClauseWords, configuration.firstClauseLimit)
            : (configuration.clauseWords, configuration.clauseLimit)
        var words = 0
        var isInsideWord = false
        var index = text.startIndex
        while index < text.endIndex {
            let character = text[index]
            let next = text.index(after: index)
            if character.isWhitespace {
                if isInsideWord, words >= limit { return index }
                if character.isNewline, words > 0 { return next }
                isInsideWord = false
            } else if !isInsideWord, character.isLetter || character.isNumber {
                isInsideWord = true
                words += 1
            }
            if words > 0, endsClause(character, at: index, next: next, mayEndSoftly: words >= softWords) { return next }
            index = next
        }
        return nil
    }

    /// Whether a clause ends after the character at `index`.
    private func endsClause(
        _ character: Character,
        at index: String.Index,
        next: String.Index,
        mayEndSoftly: Bool
    ) -> Bool {
        switch character {
        case ".":
            // The last character so far: a letter before it makes it a sentence's end at once, a digit may be a decimal.
            guard !isAbbreviation(before: index) else { return false }
            if next < text.endIndex { return text[next].isWhitespace }
            return text[..<index].last?.isLetter == true
        case "!", "?", "…":
            return next == text.endIndex || text[next].isWhitespace
        case "。", "！", "？":
            return true
        case ",", ";", ":", "—", "–":
            guard mayEndSoftly else { return false }
            if next < text.endIndex { return text[next].isWhitespace }
            // Waiting for what follows would cost a token. A digit may go on, and so may a colon and a dash.
            return (character == "," || character == ";") && text[..<index].last?.isLetter == true
        default:
            return false
        }
    }

    private static let abbreviations: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc", "e.g", "i.e", "approx", "inc", "ltd", "u.s",
        "a.m",
        "p.m",
    ]

    /// Whether the word that ends before the full stop at `index` is an abbreviation or an initial.
    private func isAbbreviation(before index: String.Index) -> Bool {
        let word = text[..<index].split { $0.isWhitespace }.last.map { $0.lowercased() } ?? ""
        let isInitial = word.count == 1 && word.first?.isLetter == true && word != "i"
        return isInitial || Self.abbreviations.contains(word)
    }
}
