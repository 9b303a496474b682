internal import Foundation

/// Any text, turned into words that flite can speak, each with its place in the original.
///
/// flite's front end reads American English in ASCII: it expands numbers, dates and money itself. Accents are taken off,
/// a few symbols are spelled out, what looks like markup is dropped, and what cannot be spoken is skipped.
struct SpeakableText: Sendable, Equatable {
    /// One word as flite will see it.
    struct Word: Sendable, Equatable {
        /// ASCII without white space, with at least one letter or digit; punctuation may stand before and after.
        var spoken: String
        /// Offset in UTF-8 bytes of the end of the word in the original, with all that follows up to the next word's
        /// white space and cannot be spoken.
        var textEnd: Int
    }

    /// The words in order.
    let words: [Word]

    /// Reads any text.
    init(_ text: String) {
        var scanner = Scanner()
        scanner.scan(text)
        words = scanner.words
    }

    /// Groups the words into pieces to be spoken one by one, each a sentence or two where possible.
    ///
    /// A piece is the unit of flite's work: everything up to the vocoder is done for the whole piece before its first
    /// sample exists. It ends at the last end of a sentence within `limit` characters, else at the last comma, else
    /// anywhere between words.
    func pieces(limit: Int = 120) -> [ArraySlice<Word>] {
        var pieces: [ArraySlice<Word>] = []
        var start = words.startIndex
        while start < words.endIndex {
            let end = endOfPiece(from: start, limit: limit)
            pieces.append(words[start..<end])
            start = end
        }
        return pieces
    }

    private func endOfPiece(from start: Int, limit: Int) -> Int {
        var length = 0
        var lastSentence: Int?
        var lastComma: Int?
        for index in start..<words.endIndex {
            length += words[index].spoken.utf8.count + 1
            if length > limit, index > start { return lastSentence ?? lastComma ?? index }
            switch Pause(after: words[index].spoken) {
            case .sentence: lastSentence = index + 1
            case .phrase: lastComma = index + 1
            case .none: break
            }
        }
        return words.endIndex
    }
}

/// How long to be silent after a piece of text.
enum Pause: Sendable, Equatable {
    case sentence, phrase, none

    /// Judges by the punctuation at the end of a word.
    init(after word: String) {
        switch word.last(where: { !"\"')]}".contains($0) }) {
        case ".", "!", "?": self = .sentence
        case ",", ";", ":", "-": self = .phrase
        default: self = .none
        }
    }

    /// The length, from the last sound on.
    var duration: Duration {
        switch self {
        case .sentence: .milliseconds(120)
        case .phrase: .milliseconds(70)
        case .none: .milliseconds(40)
        }
    }
}

/// Builds the words of a ``SpeakableText`` character by character.
private struct Scanner {
    var words: [SpeakableText.Word] = []
    private var current = ""
    private var isSpeakable = false
    private var repeats = 0

    /// Longer runs of letters and digits are no words; they are read in parts.
    private static let longestWord = 40
    /// Markup is looked for within so many characters.
    private static let longestTag = 200

    mutating func scan(_ text: String) {
        let scalars = text.unicodeScalars
        var index = scalars.startIndex
        var position = 0
        while index < scalars.endIndex {
            let start = position
            let scalar = scalars[index]
            if scalar == "<", let end = Self.endOfTag(in: scalars, from: index) {
                close(at: start)
                position += text.utf8.distance(from: index, to: end)
                index = end
                extend(to: position)
            } else {
                index = scalars.index(after: index)
                position += UTF8.width(scalar)
                take(scalar, from: start, to: position)
            }
        }
        close(at: position)
        extend(to: position)
    }

    private mutating func take(_ scalar: Unicode.Scalar, from start: Int, to end: Int) {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9":
            append(Character(scalar), end: end)
        case ".", ",", "!", "?", ";", ":", "'", "-", "/", "$", "(", ")", "\"":
            append(Character(scalar), end: end)
        case "’", "‘", "ʼ", "´":
            append("'", end: end)
        case "…", "。", "！", "？", "，", "、":
            append(scalar == "，" || scalar == "、" ? "," : scalar == "？" ? "?" : ".", end: end)
            close(at: end)
        case "–", "—", "―":
            close(at: start)
            append(",", end: end)
            close(at: end)
        case "_", "*", "~", "#", "`", "|", "\\":
            close(at: start)
        case _ where Self.spelled[scalar] != nil:
            close(at: start)
            for letter in Self.spelled[scalar] ?? "" { append(letter, end: end) }
            close(at: end)
        case _ where scalar.properties.isWhitespace || scalar.value < 0x20:
            close(at: start)
        default:
            for letter in Self.letters(of: scalar) { append(letter, end: end) }
        }
    }

    private mutating func append(_ character: Character, end: Int) {
        let isLetter = character.isLetter || character.isNumber
        repeats = current.last == character && !isLetter ? repeats + 1 : 0
        guard repeats < 3 else { return }
        current.append(character)
        isSpeakable = isSpeakable || isLetter
        if current.utf8.count >= Self.longestWord { close(at: end) }
    }

    /// Ends the word at `end`. Punctuation on its own goes to the word before.
    private mutating func close(at end: Int) {
        defer {
            current = ""
            isSpeakable = false
            repeats = 0
        }
        if isSpeakable {
            words.append(SpeakableText.Word(spoken: current, textEnd: end))
        } else if !current.isEmpty, let last = words.indices.last {
            words[last].textEnd = end
            let mark = current.first { ".!?,;:".contains($0) }
            if let mark, Pause(after: words[last].spoken) == .none { words[last].spoken.append(mark) }
        }
    }

    /// Counts what cannot be spoken to the word before it.
    private mutating func extend(to end: Int) {
        guard let last = words.indices.last else { return }
        words[last].textEnd = end
    }

    private static let spelled: [Unicode.Scalar: String] = [
        "&": "and", "%": "percent", "+": "plus", "=": "equals", "@": "at", "°": "degrees", "€": "euros", "£": "pounds",
        "×": "times", "÷": "by", "≈": "about", "→": "to",
    ]

    private static let ligatures: [Unicode.Scalar: String] = [
        "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
        "ð": "d", "þ": "th", "ı": "i", "⁄": "/",
    ]

    /// The ASCII letters, digits and slashes in a character's compatibility decomposition (Unicode UAX #15, NFKD).
    private static func letters(of scalar: Unicode.Scalar) -> String {
        if let letters = ligatures[scalar] { return letters }
        let decomposed = String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars
        return String(
            String.UnicodeScalarView(
                decomposed.map { $0 == "⁄" ? "/" : $0 }
                    .filter {
                        $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "/")
                    }
            )
        )
    }

    /// The index after a tag such as `<speak>`, `</p>` or `<break time="1s"/>` that begins at `start`, or nil.
    private static func endOfTag(in scalars: String.UnicodeScalarView, from start: String.Index) -> String.Index? {
        let inside = scalars[scalars.index(after: start)...].prefix(longestTag)
        guard let first = inside.first, first == "/" || first == "!" || first == "?" || first.properties.isAlphabetic,
            let end = inside.firstIndex(where: { $0 == ">" || $0 == "<" }), scalars[end] == ">"
        else { return nil }
        return scalars.index(after: end)
    }
}
