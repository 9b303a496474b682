/// What stands between white space: a core with punctuation before and after.
struct TextToken: Sendable {
    enum Kind: Sendable { case plain, foreign, phonemes }

    var kind: Kind
    /// Quotation marks and brackets before the core.
    var lead: String
    /// The characters in between.
    var core: [Unicode.Scalar]
    /// Punctuation after the core.
    var trail: String
    /// UTF-8 bytes of the original, punctuation included.
    var source: Range<Int>

    /// The core as text.
    let text: String
    /// The core in lower case.
    let lowercased: String

    init(kind: Kind, lead: String, core: [Unicode.Scalar], trail: String, source: Range<Int>) {
        (self.kind, self.lead, self.core, self.trail, self.source) = (kind, lead, core, trail, source)
        text = String(scalars: core)
        lowercased = text.lowercased()
    }

    var hasLetters: Bool { core.contains { $0.isLatinLetter || $0.isForeign } }
    var isCapitalized: Bool { core.first.map { $0.isUpper || !$0.isASCII && $0.properties.isUppercase } ?? false }
    var isNumber: Bool { !core.isEmpty && core.allSatisfy(\.isDigit) }

    private static let opening: Set<Unicode.Scalar> = ["\"", "'", "(", "[", "{", "¿", "¡"]
    private static let closing: Set<Unicode.Scalar> = [".", ",", "!", "?", ";", ":", ")", "]", "}", "\"", "'"]

    /// Cuts cells at white space.
    static func tokens(of cells: [TextCell]) -> [TextToken] {
        var tokens: [TextToken] = []
        var start = 0
        var lineEnds = 0
        while start < cells.count {
            guard !cells[start].scalar.properties.isWhitespace || cells[start].scalar == MarkupStripper.innerSpace
            else {
                if cells[start].scalar == "\n" { lineEnds += 1 }
                start += 1
                continue
            }
            if lineEnds > 1 { tokens.endParagraph() }
            lineEnds = 0
            var end = start
            while end < cells.count,
                !cells[end].scalar.properties.isWhitespace || cells[end].scalar == MarkupStripper.innerSpace
            {
                end += 1
            }
            tokens.append(token(of: cells[start..<end]))
            start = end
        }
        return tokens
    }

    private static func token(of cells: ArraySlice<TextCell>) -> TextToken {
        let source = (cells.first?.start ?? 0)..<(cells.map(\.end).max() ?? 0)
        if let open = cells.firstIndex(where: { $0.scalar == "|" }),
            let close = cells.lastIndex(where: { $0.scalar == "|" }),
            close > open
        {
            let inside = cells[open...close].map { $0.scalar == MarkupStripper.innerSpace ? " " : $0.scalar }
            return TextToken(
                kind: .phonemes,
                lead: marks(cells[..<open].map(\.scalar)),
                core: inside,
                trail: marks(cells[cells.index(after: close)...].map(\.scalar)),
                source: source
            )
        }
        if cells.contains(where: { $0.scalar.isForeign && !["μ", "Ω", "π"].contains($0.scalar) }) {
            return TextToken(kind: .foreign, lead: "", core: cells.map(\.scalar), trail: "", source: source)
        }
        var (start, end) = (cells.startIndex, cells.endIndex)
        while start < end, opening.contains(cells[start].scalar) { start += 1 }
        while end > start, closing.contains(cells[end - 1].scalar) { end -= 1 }
        return TextToken(
            kind: .plain,
            lead: marks(cells[..<start].map(\.scalar)),
            core: cells[start..<end].map(\.scalar),
            trail: marks(cells[end...].map(\.scalar)),
            source: source
        )
    }

    /// The marks that a voice may want; runs of one mark are cut to three.
    private static func marks(_ scalars: [Unicode.Scalar]) -> String {
        var marks = ""
        var (last, repeats): (Unicode.Scalar, Int) = (" ", 0)
        for scalar in scalars {
            repeats = scalar == last ? repeats + 1 : 0
            last = scalar
            guard repeats < 3, ".,!?;:)(\"'¿¡".unicodeScalars.contains(scalar) else { continue }
            marks.unicodeScalars.append(scalar)
        }
        return marks
    }
}

extension [TextToken] {
    /// What no mark ends is ended by an empty line.
    fileprivate mutating func endParagraph() {
        guard let last = last, last.kind == .plain, last.trail.isEmpty, last.core.last?.isLatinLetter == true else {
            return
        }
        self[count - 1].trail = "."
    }
}
