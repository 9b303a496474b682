internal import VoiceCore

/// A sentence as a voice will say it: its symbols, and where its words end.
struct PiperPiece: Sendable {
    /// A word's end in the original, in UTF-8 bytes, and the index of its last symbol.
    struct WordEnd: Sendable, Equatable {
        var textEnd: Int
        var symbol: Int
    }

    /// The symbols' numbers.
    let ids: [Int32]
    /// The words that end in it, in order.
    let words: [WordEnd]
    /// How long to be silent after it.
    let pause: Pause

    /// More symbols than these are not said in one breath: then a piece ends at the last comma, or between words. The text encoder
    /// sees the whole piece before there is any sound.
    private static let mostSymbols = 160

    /// Takes a text apart into sentences.
    /// - Parameters:
    ///   - words: the text's words.
    ///   - symbols: the voice's alphabet.
    static func pieces(of words: [EnglishPhonemizer.Word], _ symbols: PiperSymbols) -> [PiperPiece] {
        var pieces: [PiperPiece] = []
        var start = words.startIndex
        while start < words.endIndex {
            let end = endOfPiece(from: start, of: words)
            pieces.append(PiperPiece(words, start..<end, symbols))
            start = end
        }
        return pieces
    }

    private init(_ words: [EnglishPhonemizer.Word], _ range: Range<Int>, _ symbols: PiperSymbols) {
        var scalars: [Unicode.Scalar] = []
        var ends: [(textEnd: Int, scalar: Int)] = []
        for index in range {
            let word = words[index]
            if index > range.lowerBound { scalars.append(" ") }
            scalars += word.phonemes.unicodeScalars
            // A word of a number that goes on speaks the same text: only the last one has been heard to its end.
            if index + 1 == words.endIndex || words[index + 1].source != word.source {
                ends.append((word.source.upperBound, scalars.count - 1))
            }
            scalars += (word.mark.map(String.init) ?? "").unicodeScalars
        }
        let numbers = symbols.ids(of: scalars)
        ids = numbers.ids
        self.words = ends.map { WordEnd(textEnd: $0.textEnd, symbol: numbers.lasts[$0.scalar]) }
        pause = Pause(after: words[range.upperBound - 1].mark.map { "a\($0)" } ?? "a")
    }

    private static func endOfPiece(from start: Int, of words: [EnglishPhonemizer.Word]) -> Int {
        var length = 0
        var lastComma: Int?
        for index in start..<words.endIndex {
            length += words[index].phonemes.unicodeScalars.count + 2
            if length > mostSymbols, index > start { return lastComma ?? index }
            switch words[index].mark {
            case ".", "?", "!": return index + 1
            case nil: break
            default: lastComma = index + 1
            }
        }
        return words.endIndex
    }
}
