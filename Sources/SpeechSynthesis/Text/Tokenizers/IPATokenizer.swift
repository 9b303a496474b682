internal import Foundation
package import VoiceCore

/// Text to the symbols that a Magpie voice was trained on: phonemes of a dictionary, letters of words that are not in it.
///
/// Does what NeMo 3.0.0 does (`IPATokenizer`, `IpaG2p` at a phoneme probability of 1); the fixture `ipa-tokenizer.json` is
/// NeMo's own output. The vocabulary follows from the dictionary, so the dictionary must be the voice's own.
package struct IPATokenizer: Sendable {
    /// A language's rules.
    package struct Configuration: Sendable {
        /// What NeMo calls the locale; `en-US` has rules of its own.
        package var locale: Locale
        /// In which case words are looked up and spelled.
        package var graphemeCase: GraphemeCase
        /// Stands before the token of a letter, to tell it from a phoneme.
        package var graphemePrefix: String
        /// Words with more than one pronunciation are spelled instead of said by their first.
        package var ignoresAmbiguousWords: Bool
        /// Text begins and ends with a space.
        package var isPadded: Bool

        /// American English: capital letters, no padding.
        package static let english = Configuration(
            locale: .english,
            graphemeCase: .upper,
            graphemePrefix: "",
            ignoresAmbiguousWords: false,
            isPadded: false
        )
        /// Spanish: capital letters, padded.
        package static let spanish = Configuration(
            locale: .spanish,
            graphemeCase: .upper,
            graphemePrefix: "",
            ignoresAmbiguousWords: false,
            isPadded: true
        )
        /// German: letters as written with a "#" before each, padded.
        package static let german = Configuration(
            locale: .german,
            graphemeCase: .mixed,
            graphemePrefix: "#",
            ignoresAmbiguousWords: false,
            isPadded: true
        )
    }

    /// The languages with a set of punctuation marks here.
    package enum Locale: String, Sendable {
        case english = "en-US"
        case spanish = "es-ES"
        case german = "de-DE"

        /// `get_ipa_punctuation_list`, with which every vocabulary is completed.
        var punctuation: Set<String> {
            let common: Set<String> = [",", ".", "!", "?", "-", ":", ";", "/", "\"", "(", ")", "[", "]", "{", "}"]
            switch self {
            case .english: return common
            case .spanish: return common.union(["«", "»", "‹", "›", "¿", "¡"])
            case .german: return common.union(["«", "»", "‹", "›", "„", "“", "‚", "‘", "‒", "–", "—"])
            }
        }
    }

    /// Symbols by id.
    package let vocabulary: [String]
    private let ids: [String: Int32]
    private let dictionary: IPADictionary
    private let heteronyms: Set<String>
    private let configuration: Configuration
    private let lexicon: PronunciationLexicon

    /// Makes a tokeniser.
    /// - Parameters:
    ///   - dictionary: the text of the voice's pronunciation dictionary; see ``IPADictionary``.
    ///   - heteronyms: one word a line: words that sound differently by their meaning, which the voice reads as letters.
    ///   - lexicon: pronunciations that come first; symbols that the voice does not have are refused.
    /// - Throws: `malformedInput`, see ``IPADictionary`` and `lexicon`.
    package init(
        dictionary: String,
        heteronyms: String = "",
        lexicon: PronunciationLexicon = PronunciationLexicon(),
        configuration: Configuration = .english
    ) throws(VoiceError) {
        let graphemeCase = configuration.graphemeCase
        self.configuration = configuration
        self.lexicon = lexicon
        self.dictionary = try IPADictionary(
            dictionary,
            graphemeCase: graphemeCase,
            prefix: configuration.graphemePrefix
        )
        var words: Set<String> = []
        for line in heteronyms.split(whereSeparator: \.isNewline) {
            let word = line.reversed().drop(while: \.isWhitespace).reversed()
            if !word.isEmpty { words.insert(graphemeCase(String(word))) }
        }
        self.heteronyms = words
        let symbols = self.dictionary.symbols.union(configuration.locale.punctuation).union(["'"])
        // Python sorts strings by code points.
        vocabulary =
            symbols.subtracting([" "]).sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
            + [" ", "<pad>", "<oov>"]
        var ids: [String: Int32] = [:]
        for (id, symbol) in vocabulary.enumerated() { ids[symbol] = Int32(id) }
        self.ids = ids
        for (word, phonemes) in lexicon.phonemes {
            for symbol in phonemes.unicodeScalars where ids[String(scalars: [symbol])] == nil {
                throw VoiceError(
                    .malformedInput,
                    "the lexicon says '\(word)' with '\(symbol)', which this voice does not have; it has \(phonemesOfVoice())"
                )
            }
        }
    }

    private func phonemesOfVoice() -> String {
        vocabulary.filter { $0.unicodeScalars.allSatisfy { !$0.isASCII || $0.isLower } && $0.utf8.count <= 4 }.joined(
            separator: " "
        )
    }

    /// The id of `<pad>`.
    package var padID: Int32 { Int32(vocabulary.count - 2) }

    /// The ids of a text. What the vocabulary does not have is left out.
    package func encode(_ text: String) -> [Int32] {
        finished(symbols(of: text).compactMap { ids[$0] })
    }

    /// The ids of a spoken text, and for each id the word it belongs to; a space belongs to the word before it.
    package func encode(_ spoken: SpokenText) -> (ids: [Int32], words: [Int]) {
        var (all, words): ([Int32], [Int]) = ([], [])
        for (index, word) in spoken.words.enumerated() {
            let symbols = symbols(of: index == 0 ? word.text : " " + word.text).compactMap { ids[$0] }
            all += symbols
            words += symbols.indices.map { index > 0 && $0 == 0 ? index - 1 : index }
        }
        let finished = finished(all)
        if configuration.isPadded {
            words = [0] + words + [max(0, spoken.words.count - 1)]
        }
        return (finished, Array(words.prefix(finished.count)))
    }

    /// Takes off spaces at the end and pads (`encode_from_g2p`).
    private func finished(_ ids: [Int32]) -> [Int32] {
        let space = Int32(vocabulary.count - 3)
        var ids = ids
        while ids.last == space { ids.removeLast() }
        return configuration.isPadded ? [space] + ids + [space] : ids
    }

    // MARK: - Words

    /// The symbols of a text, those that the vocabulary lacks included (`IpaG2p.__call__`).
    func symbols(of text: String, usesLexicon: Bool = true) -> [String] {
        var symbols: [String] = []
        for piece in pieces(of: prepared(text)) {
            switch piece {
            case .word(let word), .other(let word):
                let (said, isKnown) = say(word, usesLexicon)
                let parts = isKnown ? [] : word.split(separator: "-", omittingEmptySubsequences: false)
                guard parts.count > 1 else {
                    symbols += said
                    continue
                }
                for (index, part) in parts.enumerated() {
                    if index > 0 { symbols.append("-") }
                    symbols += say(String(part), usesLexicon).symbols
                }
            case .verbatim(let text):
                symbols += text.split(separator: " ", omittingEmptySubsequences: false).map {
                    configuration.graphemePrefix + $0
                }
            }
        }
        return symbols
    }

    /// `english_text_preprocessing` takes marks off letters; `any_locale_text_preprocessing` composes them.
    private func prepared(_ text: String) -> String {
        guard configuration.locale == .english else {
            return text.precomposedStringWithCanonicalMapping.replacing("’", with: "'")
        }
        var plain = String.UnicodeScalarView()
        for scalar in text.decomposedStringWithCanonicalMapping.unicodeScalars
        where scalar.properties.generalCategory != .nonspacingMark {
            switch scalar {
            case "’": plain.append("'")
            case "”", "“": plain.append("\"")
            default: plain.append(scalar)
            }
        }
        return String(plain).precomposedStringWithCanonicalMapping
    }

    private enum Piece {
        case word(String), verbatim(String), other(String)
    }

    /// Words with hyphens and apostrophes inside, `|…|`, and what is between (`_WORDS_RE_EN`). A single `|` is nothing.
    private func pieces(of text: String) -> [Piece] {
        let scalars = Array(text.unicodeScalars)
        // For each place the next bar, so that bars without a partner cost nothing.
        var nextBar = Array(repeating: scalars.count, count: scalars.count + 1)
        for index in scalars.indices.reversed() { nextBar[index] = scalars[index] == "|" ? index : nextBar[index + 1] }
        var pieces: [Piece] = []
        var start = 0
        while start < scalars.count {
            var end = start + 1
            if scalars[start] == "|" {
                let close = nextBar[start + 1]
                if close < scalars.count {
                    pieces.append(.verbatim(String(scalars: scalars[(start + 1)..<close])))
                    end = close + 1
                }
            } else if isLetter(scalars[start]) {
                while end < scalars.count, isLetter(scalars[end]) || scalars[end] == "-" || scalars[end] == "'" {
                    end += 1
                }
                while !isLetter(scalars[end - 1]) { end -= 1 }
                pieces.append(.word(String(scalars: scalars[start..<end])))
            } else {
                while end < scalars.count, !isLetter(scalars[end]), scalars[end] != "|" { end += 1 }
                pieces.append(.other(String(scalars: scalars[start..<end])))
            }
            start = end
        }
        return pieces
    }

    /// English words are of A to Z only (`_WORDS_RE_EN`), others of all letters (`_WORDS_RE_ANY_LOCALE`).
    private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        configuration.locale == .english ? scalar.isASCIILetter : WordCharacters.contains(scalar)
    }

    // MARK: - One word

    /// `IpaG2p.parse_one_word`: the symbols, and whether they are phonemes or marks.
    private func say(_ text: String, _ usesLexicon: Bool) -> (symbols: [String], isKnown: Bool) {
        let word = configuration.graphemeCase(text)
        guard word.unicodeScalars.contains(where: { WordCharacters.contains($0) || WordCharacters.isDigit($0) }) else {
            return (word.unicodeScalars.map { String(scalars: [$0]) }, true)
        }
        switch usesLexicon ? lexicon[text] : nil {
        case .phonemes(let phonemes)?: return (phonemes.unicodeScalars.map { String(scalars: [$0]) }, true)
        // Spelled with dictionary words: entries cannot lead round in a circle.
        case .spelling(let spelling)?: return (symbols(of: spelling, usesLexicon: false), true)
        case nil: break
        }
        if heteronyms.contains(word) { return (letters(word), true) }
        if configuration.locale == .english, let said = suffixed(word) { return (said, true) }
        if let said = pronunciation(word) { return (said, true) }
        if configuration.graphemeCase == .mixed, dictionary.pronunciations[word] == nil,
            let said = pronunciation(word.uppercased())
        {
            return (said, true)
        }
        return (letters(word), false)
    }

    private func letters(_ word: String) -> [String] {
        word.unicodeScalars.map { configuration.graphemePrefix + String(scalars: [$0]) }
    }

    private func pronunciation(_ word: String) -> [String]? {
        guard let all = dictionary.pronunciations[word], let first = all.first,
            all.count == 1 || !configuration.ignoresAmbiguousWords
        else { return nil }
        return first.map { String(scalars: [$0]) }
    }

    /// Possessives and plurals of words that the dictionary has without their ending.
    private func suffixed(_ word: String) -> [String]? {
        guard dictionary.pronunciations[word] == nil else { return nil }
        let scalars = Array(word.unicodeScalars)
        if scalars.count > 2, word.hasSuffix("'S"), let said = pronunciation(String(scalars: scalars.dropLast(2))) {
            switch scalars[scalars.count - 3] {
            case "T": return said + ["s"]
            case "S": return said + ["ɪ", "z"]
            default: return said + ["z"]
            }
        }
        if scalars.count > 1, scalars.last == "S", let said = pronunciation(String(scalars: scalars.dropLast())) {
            return said + [scalars[scalars.count - 2] == "T" ? "s" : "z"]
        }
        return nil
    }
}
